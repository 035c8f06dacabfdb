// SPDX-License-Identifier: Apache-2.0
#include "lib/generation/registry.h"

#include "lib/generation/generation.h"

namespace diglim {
namespace {

constexpr size_t kHashBytes = 32;
constexpr size_t kMaxTextBytes = 1024;

void put_text(Bytes& out, std::string_view text) {
  put_u16_le(out, static_cast<uint16_t>(text.size()));
  append(out, as_bytes(text));
}

Result<std::string> get_text(ByteReader& reader) {
  TRY_ASSIGN(const uint16_t size, reader.u16_le());
  TRY_ASSIGN(const ByteView bytes, reader.bytes(size));
  return std::string(as_text(bytes));
}

}  // namespace

void RegistryWriter::add(const LoadedList& list, const std::vector<uint32_t>& members,
                         const std::vector<uint32_t>& where) {
  put_text(out_, list.name);
  put_text(out_, std::string_view(list.package).substr(0, kMaxTextBytes));
  put_text(out_, std::string_view(list.signer).substr(0, kMaxTextBytes));
  Bytes hash = list.content_hash;
  hash.resize(kHashBytes);
  append(out_, hash);
  put_u32_le(out_, list.left_out);
  put_u32_le(out_, static_cast<uint32_t>(members.size()));
  size_t at = out_.size();
  out_.resize(at + members.size() * 4);
  for (uint32_t member : members) {
    const uint32_t place = where[member];
    for (int shift = 0; shift < 32; shift += 8) out_[at++] = static_cast<uint8_t>(place >> shift);
  }
}

Result<void> RegistryReader::next(const std::vector<uint32_t>& ids, LoadedList& list,
                                  std::vector<uint32_t>& members) {
  TRY_ASSIGN(list.name, get_text(reader_));
  TRY_ASSIGN(list.package, get_text(reader_));
  TRY_ASSIGN(list.signer, get_text(reader_));
  TRY_ASSIGN(const ByteView hash, reader_.bytes(kHashBytes));
  list.content_hash = to_bytes(hash);
  TRY_ASSIGN(list.left_out, reader_.u32_le());
  TRY_ASSIGN(list.digests, reader_.u32_le());
  const uint64_t offset = reader_.offset();
  if (list.digests > reader_.remaining() / 4) return corrupt(offset, "more members than bytes");
  // One bounds check for all: there are as many members as digests, and a Result for each costs more than the
  // rest of decoding.
  TRY_ASSIGN(const ByteView places, reader_.bytes(size_t{list.digests} * 4));
  members.resize(list.digests);
  for (size_t i = 0; i < members.size(); ++i) {
    const uint8_t* at = &places[i * 4];
    const uint32_t place = at[0] | uint32_t{at[1]} << 8 | uint32_t{at[2]} << 16 | uint32_t{at[3]} << 24;
    if (place >= ids.size() || ids[place] == 0)
      return corrupt(offset + i * 4, "a member points to an empty place");
    members[i] = ids[place] - 1;
  }
  return {};
}

}  // namespace diglim
