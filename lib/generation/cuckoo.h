// SPDX-License-Identifier: Apache-2.0
// The digest table: two-choice buckets of eight (bucketised cuckoo hashing: Dietzfelbinger and Weidling,
// 2007), and beside each slot whose it is. It is made in the memory that becomes the kernel's map.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "bpf/abi.h"

namespace diglim {

using Digest = std::array<uint64_t, DIGLIM_SLOT_SIZE / 8>;  // what a slot holds

// `word` is the first of a digest. bpf/digest_table.bpf.h computes the same.
inline uint32_t first_bucket(uint64_t word, uint32_t buckets) {
  return static_cast<uint32_t>((word & 0xffffffffu) * buckets >> 32);
}
inline uint32_t second_bucket(uint64_t word, uint32_t buckets) {
  return static_cast<uint32_t>((word >> 32) * buckets >> 32);
}

// Not thread-safe. A slot is empty if its first word is 0. In a bucket the empty ones come last.
class CuckooTable {
 public:
  // Works in this memory, which outlives it: all zeros, or such a table. REQUIRES: as many owners as slots,
  // of which there are whole buckets, at least one.
  CuckooTable(std::span<Digest> slots, std::span<uint16_t> owners);

  // Its place: an index into slots and owners.
  std::optional<uint32_t> find(const Digest& digest) const;
  size_t size() const { return size_; }

  // False: it, or another one in its stead, finds no place, and the table is of no use any more. The same
  // calls give the same table. REQUIRES: it is not there; its first word is not 0, nor is `owner`.
  bool insert(const Digest& digest, uint16_t owner);

  // Another digest of the bucket may move to this place from a later one. Nothing, if it is empty.
  void erase(uint32_t place);

 private:
  void put(uint32_t bucket, const Digest& digest, uint16_t owner);
  bool insert_moving(uint32_t bucket, Digest digest, uint16_t owner);

  std::span<Digest> slots_;
  std::span<uint16_t> owners_;
  uint32_t buckets_;
  std::vector<uint16_t> used_;  // slots of each bucket; not bytes, which may alias all
  size_t size_ = 0;
  uint64_t random_ = 1;
};

}  // namespace diglim
