// SPDX-License-Identifier: Apache-2.0
#include "lib/generation/cuckoo.h"

#include <utility>

namespace diglim {
namespace {

constexpr int kMaxMoves = 500;  // enough for ten million digests at a load of 0.985

}  // namespace

CuckooTable::CuckooTable(std::span<Digest> slots, std::span<uint16_t> owners)
    : slots_(slots),
      owners_(owners),
      buckets_(static_cast<uint32_t>(slots.size() / DIGLIM_SLOTS)),
      used_(buckets_) {
  const Digest* bucket = slots.data();
  for (uint16_t& used : used_) {
    if (bucket[DIGLIM_SLOTS - 1][0] != 0) used = DIGLIM_SLOTS;
    while (used < DIGLIM_SLOTS && bucket[used][0] != 0) ++used;
    bucket += DIGLIM_SLOTS;
    size_ += used;
  }
}

std::optional<uint32_t> CuckooTable::find(const Digest& digest) const {
  for (const uint32_t bucket : {first_bucket(digest[0], buckets_), second_bucket(digest[0], buckets_)}) {
    const uint32_t begin = bucket * DIGLIM_SLOTS;
    for (uint32_t place = begin; place < begin + used_[bucket]; ++place) {
      if (slots_[place] == digest) return place;
    }
  }
  return std::nullopt;
}

inline void CuckooTable::put(uint32_t bucket, const Digest& digest, uint16_t owner) {
  const size_t place = size_t{bucket} * DIGLIM_SLOTS + used_[bucket]++;
  slots_[place] = digest;
  owners_[place] = owner;
  ++size_;
}

bool CuckooTable::insert(const Digest& digest, uint16_t owner) {
  const uint32_t first = first_bucket(digest[0], buckets_);
  const uint32_t second = second_bucket(digest[0], buckets_);
  // The emptier one, so that hardly any bucket is full before the last tenth.
  const uint32_t target = used_[first] <= used_[second] ? first : second;
  if (used_[target] == DIGLIM_SLOTS) return insert_moving(target, digest, owner);
  put(target, digest, owner);
  return true;
}

bool CuckooTable::insert_moving(uint32_t bucket, Digest digest, uint16_t owner) {
  for (int moves = 0; moves < kMaxMoves; ++moves) {
    // Throw out somebody and send him to his other bucket. Whom: a fixed sequence, so that tables are
    // reproducible.
    random_ = random_ * 6364136223846793005ULL + 1442695040888963407ULL;
    const size_t victim = size_t{bucket} * DIGLIM_SLOTS + (random_ >> 61);
    std::swap(slots_[victim], digest);
    std::swap(owners_[victim], owner);
    const uint32_t its_first = first_bucket(digest[0], buckets_);
    bucket = its_first == bucket ? second_bucket(digest[0], buckets_) : its_first;
    if (used_[bucket] == DIGLIM_SLOTS) continue;
    put(bucket, digest, owner);
    return true;
  }
  return false;
}

void CuckooTable::erase(uint32_t place) {
  const uint32_t bucket = place / DIGLIM_SLOTS;
  if (place % DIGLIM_SLOTS >= used_[bucket]) return;
  const size_t last = size_t{bucket} * DIGLIM_SLOTS + --used_[bucket];
  slots_[place] = slots_[last];
  owners_[place] = owners_[last];
  slots_[last] = {};
  owners_[last] = 0;
  --size_;
}

}  // namespace diglim
