// SPDX-License-Identifier: Apache-2.0
#include "lib/rpm/tags.h"

#include <algorithm>
#include <array>

namespace diglim::rpm {
namespace {

// Bytes a value of each type has and must be aligned to (rpm: typeSizes and typeAlign in lib/header.c). 0:
// text.
constexpr std::array<uint8_t, 10> kTypeSizes = {0, 1, 1, 2, 4, 8, 0, 1, 0, 0};

std::string tag_name(uint32_t tag) {
  return "tag " + std::to_string(tag);
}

// How many bytes the values of `entry` take, of those in `data`; nothing if they do not fit. Strings are
// searched for their NULs, so the cost is linear in the data whatever the count claims.
std::optional<size_t> values_size(const Entry& entry, ByteView data) {
  if (const size_t size = kTypeSizes[entry.type]; size > 0) {
    const uint64_t total = uint64_t{entry.count} * size;  // below 2^35: cannot wrap
    if (total > data.size()) return std::nullopt;
    return static_cast<size_t>(total);
  }
  const std::string_view text = as_text(data);
  size_t from = 0;
  for (uint32_t i = 0; i < entry.count; ++i) {
    const size_t end = text.find('\0', from);
    if (end == std::string_view::npos) return std::nullopt;
    from = end + 1;
  }
  return from;
}

}  // namespace

std::string_view StringWalk::next() {
  const std::string_view value = rest_.substr(0, rest_.find('\0'));
  rest_.remove_prefix(std::min(rest_.size(), value.size() + 1));
  at_ += value.size() + 1;
  return value;
}

// The checks of hdrblobVerifyInfo() in rpm's lib/header.c, and that no tag is there twice: rpm takes
// whichever its sort puts first, and two readers of one signed header must not see two things.
Result<TagTable> TagTable::read(ByteView header, uint64_t base) {
  TRY_ASSIGN(const Preamble preamble, read_preamble(header, base, HeaderKind::kMain));
  ByteReader index(header, base);
  TRY(index.skip(kPreambleSize + kEntrySize));
  const size_t data_start = preamble.data_start();
  // The region trailer is the last of the data, which take_header() has made sure of.
  const ByteView data = header.subspan(data_start, preamble.data_size - kTrailerSize);

  TagTable table;
  table.tags_.reserve(preamble.entries - 1);
  size_t end_of_last = 0;
  for (uint32_t i = 1; i < preamble.entries; ++i) {
    const uint64_t at = index.offset();
    TRY_ASSIGN(const Entry entry, read_entry(index));
    if (entry.tag < kFirstOrdinaryTag || entry.tag > INT32_MAX)
      return corrupt(at, tag_name(entry.tag) + " may not be here");
    if (entry.type < kTypeChar || entry.type > kTypeI18nString)
      return corrupt(at + 4, tag_name(entry.tag) + " has an unknown type");
    if (entry.count == 0) return corrupt(at + 12, tag_name(entry.tag) + " has no value");
    if (entry.type == kTypeString && entry.count != 1)
      return corrupt(at + 12, tag_name(entry.tag) + " is one string but counts more");
    if (entry.offset > data.size()) return corrupt(at + 8, tag_name(entry.tag) + " lies outside the data");
    if (entry.offset < end_of_last)
      return corrupt(at + 8, tag_name(entry.tag) + " overlaps the tag before it");
    const size_t alignment = std::max<size_t>(kTypeSizes[entry.type], 1);
    if (entry.offset % alignment != 0) return corrupt(at + 8, tag_name(entry.tag) + " is misaligned");
    const auto size = values_size(entry, data.subspan(entry.offset));
    if (!size) return corrupt(at + 12, tag_name(entry.tag) + " does not fit into the data");
    end_of_last = entry.offset + *size;
    table.tags_.push_back({entry.tag, entry.type, entry.count, data.subspan(entry.offset, *size), at,
                           base + data_start + entry.offset});
  }

  // Of two of one tag the later comes second. rpm writes them sorted, as a rule.
  const auto before = [](const Tag& a, const Tag& b) {
    return a.tag != b.tag ? a.tag < b.tag : a.entry_at < b.entry_at;
  };
  if (!std::is_sorted(table.tags_.begin(), table.tags_.end(), before))
    std::sort(table.tags_.begin(), table.tags_.end(), before);
  const auto twice = std::adjacent_find(table.tags_.begin(), table.tags_.end(),
                                        [](const Tag& a, const Tag& b) { return a.tag == b.tag; });
  if (twice != table.tags_.end())
    return corrupt((twice + 1)->entry_at, tag_name(twice->tag) + " is there twice");
  return table;
}

const Tag* TagTable::look_up(uint32_t tag) const {
  const auto found = std::lower_bound(tags_.begin(), tags_.end(), tag,
                                      [](const Tag& entry, uint32_t wanted) { return entry.tag < wanted; });
  return found != tags_.end() && found->tag == tag ? &*found : nullptr;
}

Result<const Tag*> TagTable::find(uint32_t tag, Type type) const {
  const Tag* found = look_up(tag);
  if (found != nullptr && found->type != type)
    return corrupt(found->entry_at + 4, tag_name(tag) + " has the wrong type");
  return found;
}

Result<std::optional<std::string_view>> TagTable::string(uint32_t tag) const {
  TRY_ASSIGN(const Tag* found, find(tag, kTypeString));
  if (found == nullptr) return std::optional<std::string_view>();
  return std::optional(StringWalk(*found).next());
}

Result<std::optional<uint32_t>> TagTable::number(uint32_t tag) const {
  TRY_ASSIGN(const Tag* found, find(tag, kTypeInt32));
  if (found == nullptr) return std::optional<uint32_t>();
  if (found->count != 1) return corrupt(found->entry_at + 12, tag_name(tag) + " should be one number");
  TRY_ASSIGN(const uint32_t value, ByteReader(found->data, found->data_at).u32_be());
  return std::optional(value);
}

}  // namespace diglim::rpm
