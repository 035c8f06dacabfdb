// SPDX-License-Identifier: Apache-2.0
// An RPM header (rpm: lib/header.c, docs/manual/format_header.md): its 16-byte preamble, its index entries
// and its immutable region. All integers are big endian. FORMAT.md has the grammar, the limits and an
// example.
#pragma once

#include "lib/base/bytes.h"

namespace diglim::rpm {

// rpm's own limits (lib/header.c: HEADER_TAGS_MAX, HEADER_DATA_MAX, and hdrblobVerifyLengths() for the
// signature header).
constexpr uint32_t kMaxIndexEntries = 0x0000ffff;
constexpr uint32_t kMaxDataBytes = 0x0fffffff;
constexpr uint32_t kMaxSignatureIndexEntries = 32;
constexpr uint32_t kMaxSignatureDataBytes = 64u << 20;

// rpm: include/rpm/rpmtag.h, enum rpmTagType_e.
enum Type : uint32_t {
  kTypeChar = 1,
  kTypeInt8 = 2,
  kTypeInt16 = 3,
  kTypeInt32 = 4,
  kTypeInt64 = 5,
  kTypeString = 6,
  kTypeBinary = 7,
  kTypeStringArray = 8,
  kTypeI18nString = 9,
};

// Tags below 100 are regions and the translation table's predecessors (rpm: HEADER_I18NTABLE).
constexpr uint32_t kFirstOrdinaryTag = 100;
constexpr uint32_t kTagSignatureRegion = 62;
constexpr uint32_t kTagImmutableRegion = 63;

constexpr size_t kPreambleSize = 16;
constexpr size_t kEntrySize = 16;
constexpr size_t kTrailerSize = 16;

enum class HeaderKind { kSignature, kMain };

struct Preamble {
  uint32_t entries = 0;
  uint32_t data_size = 0;

  size_t data_start() const { return kPreambleSize + kEntrySize * entries; }
  size_t size() const { return data_start() + data_size; }
};

struct Entry {
  uint32_t tag = 0;
  uint32_t type = 0;
  uint32_t offset = 0;  // into the data; two's complement in a region trailer
  uint32_t count = 0;
};

// Magic, reserved bytes, and sizes within the limits of the kind; not that the bytes are there. `base` is the
// offset of `bytes` in the file, here and below.
Result<Preamble> read_preamble(ByteView bytes, uint64_t base, HeaderKind kind);

Result<Entry> read_entry(ByteReader& reader);

// The header at the start of `bytes`, whole, with a sane region: its first entry is the region tag of the
// kind, and points to a trailer that names the same tag and how many entries the region has. The region of a
// main header must be all of it. The result is a view of exactly the header.
Result<ByteView> take_header(ByteView bytes, uint64_t base, HeaderKind kind);

// True if the bytes begin as a header does: magic and reserved bytes.
bool looks_like_header(ByteView bytes);

// That `bytes` are exactly one main header whose immutable region is all of it: what may be signed bytes. The
// same checks as locate_package() makes. kCorrupt with the offset; `offset` is where `bytes` start in the
// file.
Result<void> check_main_header(ByteView bytes, uint64_t offset);

}  // namespace diglim::rpm
