// SPDX-License-Identifier: Apache-2.0
#include "lib/generation/cuckoo.h"

#include <algorithm>

#include "bpf/abi.h"

namespace diglim {
namespace {

constexpr int kMaxMoves = 500;  // at a load of 0.95 the longest chain seen is below 100

class Builder {
 public:
  Builder(uint32_t buckets, std::span<const uint64_t> words)
      : buckets_(buckets), words_(words), places_(size_t{buckets} * DIGLIM_SLOTS, 0) {}

  bool insert(uint32_t id) {
    uint64_t word = words_[id];
    uint32_t target = first_bucket(word, buckets_);
    if (put(target, id) || put(second_bucket(word, buckets_), id)) return true;
    for (int moves = 0; moves < kMaxMoves; ++moves) {
      // Throw out somebody and send him to his other bucket. Which one: a fixed sequence, so that tables are
      // reproducible.
      random_ = random_ * 6364136223846793005ULL + 1442695040888963407ULL;
      uint32_t& victim_place = places_[size_t{target} * DIGLIM_SLOTS + (random_ >> 61)];
      const uint32_t victim = victim_place - 1;
      victim_place = id + 1;
      id = victim;
      word = words_[id];
      const uint32_t first = first_bucket(word, buckets_);
      target = first == target ? second_bucket(word, buckets_) : first;
      if (put(target, id)) return true;
    }
    return false;
  }

  std::vector<uint32_t> take() && { return std::move(places_); }

 private:
  bool put(uint32_t bucket, uint32_t id) {
    uint32_t* slots = &places_[size_t{bucket} * DIGLIM_SLOTS];
    for (int i = 0; i < DIGLIM_SLOTS; ++i) {
      if (slots[i] == 0) {
        slots[i] = id + 1;
        return true;
      }
    }
    return false;
  }

  uint32_t buckets_;
  std::span<const uint64_t> words_;
  std::vector<uint32_t> places_;
  uint64_t random_ = 1;
};

}  // namespace

Result<CuckooTable> CuckooTable::build(std::span<const uint64_t> words) {
  const auto count = static_cast<uint32_t>(words.size());
  for (double load : {0.95, 0.93, 0.9, 0.8, 0.5}) {
    const auto buckets = static_cast<uint32_t>(static_cast<double>(count) / (DIGLIM_SLOTS * load)) + 1;
    Builder builder(buckets, words);
    uint32_t id = 0;
    while (id < count && builder.insert(id)) ++id;
    if (id == count) return CuckooTable{buckets, std::move(builder).take()};
  }
  return unsupported("the digests collide too often for a table: they were not made by a hash");
}

}  // namespace diglim
