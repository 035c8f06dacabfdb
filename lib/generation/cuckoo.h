// SPDX-License-Identifier: Apache-2.0
// Placing digests into two-choice buckets of eight (bucketised cuckoo hashing: Dietzfelbinger and Weidling,
// 2007).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lib/base/result.h"

namespace diglim {

// `word` is the first eight bytes of a digest. bpf/digest_table.bpf.h computes the same.
inline uint32_t first_bucket(uint64_t word, uint32_t buckets) {
  return static_cast<uint32_t>((word & 0xffffffffu) * buckets >> 32);
}
inline uint32_t second_bucket(uint64_t word, uint32_t buckets) {
  return static_cast<uint32_t>((word >> 32) * buckets >> 32);
}

struct CuckooTable {
  uint32_t buckets = 0;          // at least 1
  std::vector<uint32_t> places;  // buckets * DIGLIM_SLOTS; 1 + id, or 0

  // Places `ids` at a load of about 0.985, growing a little when some do not fit. The same input gives the
  // same table. kUnsupported when even a load of 0.5 does not do: then the digests were chosen to collide.
  // `words`: for each id the first eight bytes of its digest. REQUIRES: the digests of `ids` differ.
  static Result<CuckooTable> build(std::span<const uint64_t> words, std::span<const uint32_t> ids);
};

}  // namespace diglim
