// SPDX-License-Identifier: Apache-2.0
#include "lib/generation/cuckoo.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace diglim {
namespace {

Digest random_digest(std::mt19937_64& random) {
  return {random() | 1, random(), random(), random()};
}

class Cuckoo : public testing::Test {
 protected:
  void make(size_t buckets) {
    slots_.assign(buckets * DIGLIM_SLOTS, {});
    owners_.assign(buckets * DIGLIM_SLOTS, 0);
  }
  CuckooTable table() { return CuckooTable(slots_, owners_); }

  std::vector<Digest> slots_;
  std::vector<uint16_t> owners_;
  std::mt19937_64 random_{1};
};

// Through thousands of insertions and removals, at a load of up to 0.98, each time continued by a new table
// in the same memory.
TEST_F(Cuckoo, HoldsWhatIsInItWithItsOwner) {
  constexpr size_t kBuckets = 200;
  make(kBuckets);
  std::map<Digest, uint16_t> model;
  std::vector<Digest> never;
  for (int i = 0; i < 1000; ++i) never.push_back(random_digest(random_));
  for (int round = 0; round < 50; ++round) {
    CuckooTable table = this->table();
    ASSERT_EQ(table.size(), model.size());
    while (model.size() < kBuckets * DIGLIM_SLOTS * 98 / 100) {
      const Digest digest = random_digest(random_);
      const auto owner = static_cast<uint16_t>(1 + random_() % UINT16_MAX);
      ASSERT_FALSE(table.find(digest));
      ASSERT_TRUE(table.insert(digest, owner));
      model[digest] = owner;
    }
    for (const auto& [digest, owner] : model) {
      const auto place = table.find(digest);
      ASSERT_TRUE(place);
      ASSERT_EQ(slots_[*place], digest);
      ASSERT_EQ(owners_[*place], owner);
      const uint32_t bucket = *place / DIGLIM_SLOTS;
      ASSERT_TRUE(bucket == first_bucket(digest[0], kBuckets) ||
                  bucket == second_bucket(digest[0], kBuckets));
    }
    for (const Digest& digest : never) ASSERT_FALSE(table.find(digest));
    for (auto at = model.begin(); at != model.end();) {
      if (random_() % 8 != 0) {
        ++at;
        continue;
      }
      table.erase(*table.find(at->first));
      EXPECT_FALSE(table.find(at->first));
      at = model.erase(at);
    }
    ASSERT_EQ(table.size(), model.size());
  }
  size_t used = 0;
  for (size_t i = 0; i < slots_.size(); ++i) {
    EXPECT_EQ(slots_[i] == Digest{}, owners_[i] == 0) << "what was erased is zeros";
    used += owners_[i] != 0;
  }
  EXPECT_EQ(used, model.size());
}

// What `Generation` counts on: it makes tables of 0.985, and lets them fill to 0.99.
TEST_F(Cuckoo, FillsAlmostWholly) {
  make(12500);
  CuckooTable table = this->table();
  for (size_t i = 0; i < 99000; ++i) ASSERT_TRUE(table.insert(random_digest(random_), 1)) << i;
}

TEST_F(Cuckoo, SaysWhenItIsFull) {
  make(2);
  CuckooTable table = this->table();
  for (int i = 0; i < 16; ++i) ASSERT_TRUE(table.insert({0xffffffff, static_cast<uint64_t>(i), 0, 0}, 1));
  EXPECT_FALSE(table.insert({0xffffffff, 16, 0, 0}, 1));
}

TEST_F(Cuckoo, TellsDigestsApartThatBeginAlike) {
  make(2);
  CuckooTable table = this->table();
  ASSERT_TRUE(table.insert({5, 1, 2, 3}, 1));
  EXPECT_TRUE(table.find({5, 1, 2, 3}));
  for (const Digest& other : {Digest{5, 0, 2, 3}, Digest{5, 1, 0, 3}, Digest{5, 1, 2, 0}})
    EXPECT_FALSE(table.find(other));
}

}  // namespace
}  // namespace diglim
