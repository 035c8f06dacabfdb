// SPDX-License-Identifier: Apache-2.0
#include "lib/rpm/header.h"

#include <algorithm>
#include <array>

namespace diglim::rpm {
namespace {

// Three bytes of magic, the version 1, four reserved bytes that rpm wants to be zero (lib/header.c:
// rpm_header_magic).
constexpr std::array<uint8_t, 8> kHeaderMagic = {0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0};

std::string number_of(uint32_t value, std::string_view what, uint32_t limit) {
  return std::to_string(value) + " " + std::string(what) + ", the limit is " + std::to_string(limit);
}

}  // namespace

bool looks_like_header(ByteView bytes) {
  return bytes.size() >= kHeaderMagic.size() &&
         std::equal(kHeaderMagic.begin(), kHeaderMagic.end(), bytes.begin());
}

Result<Preamble> read_preamble(ByteView bytes, uint64_t base, HeaderKind kind) {
  ByteReader reader(bytes, base);
  TRY_ASSIGN(const ByteView magic, reader.bytes(kHeaderMagic.size()));
  if (!looks_like_header(magic)) return corrupt(base, "no RPM header here (bad magic)");

  const bool main = kind == HeaderKind::kMain;
  const uint32_t max_entries = main ? kMaxIndexEntries : kMaxSignatureIndexEntries;
  const uint32_t max_data = main ? kMaxDataBytes : kMaxSignatureDataBytes;
  Preamble preamble;
  TRY_ASSIGN(preamble.entries, reader.u32_be());
  TRY_ASSIGN(preamble.data_size, reader.u32_be());
  if (preamble.entries > max_entries) {
    return corrupt(base + 8, number_of(preamble.entries, "index entries", max_entries));
  }
  if (preamble.data_size > max_data) {
    return corrupt(base + 12, number_of(preamble.data_size, "bytes of data", max_data));
  }
  return preamble;
}

Result<Entry> read_entry(ByteReader& reader) {
  TRY_ASSIGN(const ByteView fields, reader.bytes(kEntrySize));
  return Entry{load_u32_be(fields), load_u32_be(fields.subspan(4)), load_u32_be(fields.subspan(8)),
               load_u32_be(fields.subspan(12))};
}

// What rpm checks in hdrblobVerifyRegion() (lib/header.c), with its exact_size for the main header: in a
// package the region is the whole header. Bytes outside the region would be covered by the signature all the
// same (it is over the whole header), but rpm refuses them, and what rpm refuses must not publish digests.
Result<ByteView> take_header(ByteView bytes, uint64_t base, HeaderKind kind) {
  TRY_ASSIGN(const Preamble preamble, read_preamble(bytes, base, kind));
  TRY_ASSIGN(const ByteView header, ByteReader(bytes, base).bytes(preamble.size()));

  ByteReader reader(header, base);
  TRY(reader.skip(kPreambleSize));
  const uint64_t entry_at = reader.offset();
  if (preamble.entries == 0) return corrupt(entry_at, "a header without entries");
  const uint32_t region_tag = kind == HeaderKind::kMain ? kTagImmutableRegion : kTagSignatureRegion;
  TRY_ASSIGN(const Entry region, read_entry(reader));
  if (region.tag != region_tag || region.type != kTypeBinary || region.count != kTrailerSize) {
    return corrupt(entry_at, "the first entry is not the header's region");
  }
  // In this order nothing wraps, also where the offset is negative to rpm, which reads it as signed.
  if (preamble.data_size < kTrailerSize || region.offset > preamble.data_size - kTrailerSize) {
    return corrupt(entry_at + 8, "the region trailer lies outside the data");
  }

  const size_t trailer_start = preamble.data_start() + region.offset;
  const uint64_t trailer_at = base + trailer_start;
  ByteReader trailer_reader(header.subspan(trailer_start), trailer_at);
  TRY_ASSIGN(const Entry trailer, read_entry(trailer_reader));
  if (trailer.tag != region_tag || trailer.type != kTypeBinary || trailer.count != kTrailerSize) {
    return corrupt(trailer_at, "not a region trailer");
  }
  // The trailer's offset is minus the size of the region's index.
  const uint32_t index_size = 0u - trailer.offset;
  const uint32_t region_entries = index_size / kEntrySize;
  if (index_size % kEntrySize != 0 || region_entries == 0 || region_entries > preamble.entries) {
    return corrupt(trailer_at + 8, "the region trailer contradicts the index");
  }
  const bool whole = region_entries == preamble.entries && region.offset + kTrailerSize == preamble.data_size;
  if (kind == HeaderKind::kMain && !whole) {
    return corrupt(trailer_at, "the immutable region is not the whole header");
  }
  return header;
}

Result<void> check_main_header(ByteView bytes, uint64_t offset) {
  TRY_ASSIGN(const ByteView header, take_header(bytes, offset, HeaderKind::kMain));
  if (header.size() != bytes.size()) return corrupt(offset + header.size(), "bytes after the header");
  return {};
}

}  // namespace diglim::rpm
