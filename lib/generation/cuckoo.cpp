// SPDX-License-Identifier: Apache-2.0
#include "lib/generation/cuckoo.h"

#include <utility>

namespace diglim {
namespace {

constexpr int kMaxMoves = 500;  // three times what a load of 0.995 took, once in three hundred thousand

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

uint32_t CuckooTable::other_bucket(const Digest& digest, uint32_t bucket) const {
  const uint32_t first = first_bucket(digest[0], buckets_);
  return first == bucket ? second_bucket(digest[0], buckets_) : first;
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
  const size_t at = size_t{bucket} * DIGLIM_SLOTS + used_[bucket]++;
  slots_[at] = digest;
  owners_[at] = owner;
  ++size_;
}

bool CuckooTable::make_room(uint32_t bucket) {
  const size_t begin = size_t{bucket} * DIGLIM_SLOTS;
  for (size_t at = begin; at < begin + DIGLIM_SLOTS; ++at) {
    const uint32_t other = other_bucket(slots_[at], bucket);
    if (used_[other] == DIGLIM_SLOTS) continue;
    put(other, slots_[at], owners_[at]);
    erase(static_cast<uint32_t>(at));
    return true;
  }
  return false;
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
    if (used_[bucket] < DIGLIM_SLOTS || make_room(bucket)) {
      put(bucket, digest, owner);
      return true;
    }
    // Throw out somebody. Whom: a fixed sequence, so that tables are reproducible.
    random_ = random_ * 6364136223846793005ULL + 1442695040888963407ULL;
    const size_t victim = size_t{bucket} * DIGLIM_SLOTS + (random_ >> 61);
    std::swap(slots_[victim], digest);
    std::swap(owners_[victim], owner);
    bucket = other_bucket(digest, bucket);
  }
  return false;
}

void CuckooTable::erase(uint32_t place) {
  const uint32_t bucket = place / DIGLIM_SLOTS;
  const size_t last = size_t{bucket} * DIGLIM_SLOTS + --used_[bucket];
  slots_[place] = slots_[last];
  owners_[place] = owners_[last];
  slots_[last] = {};
  owners_[last] = 0;
  --size_;
}

}  // namespace diglim
