// SPDX-License-Identifier: Apache-2.0
// The compact digest list of 2022: one or more blocks of a 16-byte little-endian header and the digests.
// FORMAT.md has the grammar, the limits and an example.
#pragma once

#include <map>

#include "lib/base/bytes.h"
#include "lib/crypto/hash.h"

namespace diglim {

enum class CompactType : uint16_t { kParser = 0, kFile = 1, kMetadata = 2, kDigestList = 3 };
constexpr uint16_t kCompactImmutable = 1;  // modifier bit 0
constexpr size_t kCompactHeaderBytes = 16;

struct CompactList {
  std::map<HashAlgo, Bytes> digests;  // of type kFile, concatenated, in file order
};

// REQUIRES: the signature over `content` was verified. Errors: kCorrupt with the offset (short block, count
// times digest size differs from the data length, version other than 1, reserved byte not 0, unknown type,
// unknown modifier bits), kUnsupported (unknown algorithm; types other than kFile, which nothing here needs).
Result<CompactList> read_compact(ByteView content);

// One block of type kFile. REQUIRES: digests.size() is a multiple of hash_size(algo) and fits u32.
// `modifiers` is 0 or kCompactImmutable, which 2022 tools asked for and which changes nothing here.
Bytes write_compact(HashAlgo algo, ByteView digests, uint16_t modifiers = 0);

}  // namespace diglim
