// SPDX-License-Identifier: Apache-2.0
#include "lib/generation/cuckoo.h"

#include <algorithm>

#include "bpf/abi.h"

namespace diglim {
namespace {

constexpr int kMaxMoves = 500;  // enough for ten million digests at a load of 0.985

class Builder {
 public:
  Builder(uint32_t buckets, std::span<const uint64_t> words)
      : buckets_(buckets), words_(words), used_(buckets, 0), places_(size_t{buckets} * DIGLIM_SLOTS, 0) {}

  bool insert(uint32_t id) {
    const uint32_t first = first_bucket(words_[id], buckets_);
    const uint32_t second = second_bucket(words_[id], buckets_);
    // The emptier one, so that hardly any bucket is full before the last tenth.
    uint32_t target = used_[first] <= used_[second] ? first : second;
    for (int moves = 0; moves < kMaxMoves; ++moves) {
      if (used_[target] < DIGLIM_SLOTS) {
        places_[size_t{target} * DIGLIM_SLOTS + used_[target]++] = id + 1;
        return true;
      }
      // Throw out somebody and send him to his other bucket. Which one: a fixed sequence, so that tables are
      // reproducible.
      random_ = random_ * 6364136223846793005ULL + 1442695040888963407ULL;
      uint32_t& victim_place = places_[size_t{target} * DIGLIM_SLOTS + (random_ >> 61)];
      const uint32_t victim = victim_place - 1;
      victim_place = id + 1;
      id = victim;
      const uint32_t its_first = first_bucket(words_[id], buckets_);
      target = its_first == target ? second_bucket(words_[id], buckets_) : its_first;
    }
    return false;
  }

  std::vector<uint32_t> take() && { return std::move(places_); }

 private:
  uint32_t buckets_;
  std::span<const uint64_t> words_;
  std::vector<uint16_t> used_;  // slots of each bucket, from its first on; not bytes, which may alias all
  std::vector<uint32_t> places_;
  uint64_t random_ = 1;
};

}  // namespace

Result<CuckooTable> CuckooTable::build(std::span<const uint64_t> words, std::span<const uint32_t> ids) {
  for (double load : {0.985, 0.97, 0.9, 0.8, 0.5}) {
    const auto buckets = static_cast<uint32_t>(static_cast<double>(ids.size()) / (DIGLIM_SLOTS * load)) + 1;
    Builder builder(buckets, words);
    if (std::all_of(ids.begin(), ids.end(), [&](uint32_t id) { return builder.insert(id); }))
      return CuckooTable{buckets, std::move(builder).take()};
  }
  return unsupported("the digests collide too often for a table: they were not made by a hash");
}

}  // namespace diglim
