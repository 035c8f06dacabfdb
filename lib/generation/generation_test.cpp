// SPDX-License-Identifier: Apache-2.0
#include "lib/generation/generation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <set>

namespace diglim {
namespace {

constexpr size_t kSize = 32;

Bytes random_digests(size_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  Bytes out;
  for (size_t i = 0; i < count * kSize / 8; ++i) put_u64_le(out, random());
  return out;
}

ByteView nth(const Bytes& digests, size_t i) {
  return ByteView(digests).subspan(i * kSize, kSize);
}

// The texts of lists, which own none.
std::string_view kept(const std::string& text) {
  static std::set<std::string> all;
  return *all.insert(text).first;
}

LoadedList named(const std::string& name, uint8_t hash = 1) {
  static std::map<uint8_t, Bytes> hashes;
  LoadedList list;
  list.name = kept(name);
  list.content_hash = hashes.try_emplace(hash, Bytes(32, hash)).first->second;
  list.package = kept("package of " + name);
  list.signer = kept("signer of " + name);
  list.left_out = 7;
  return list;
}

// What the kernel does: the same steps in C, without what made the table.
bool table_has(const Bytes& map, ByteView digest) {
  diglim_generation header = {};
  std::memcpy(&header, map.data(), sizeof(header));
  uint64_t slot[DIGLIM_SLOT_SIZE / 8] = {};
  std::memcpy(slot, digest.data(), std::min<size_t>(digest.size(), DIGLIM_SLOT_SIZE));
  for (const uint64_t half : {slot[0] & 0xffffffff, slot[0] >> 32}) {
    const uint8_t* at = map.data() + 256 * (1 + (half * header.buckets >> 32));
    for (int i = 0; i < DIGLIM_SLOTS; ++i, at += DIGLIM_SLOT_SIZE) {
      if (std::memcmp(at, slot, DIGLIM_SLOT_SIZE) == 0) return true;
    }
  }
  return false;
}

Result<Generation> decode(const Bytes& map) {
  return Generation::decode(map, nullptr);
}

// As an allocator of the kernel's: all zeros, and what was before is gone.
Result<void> seal_into(Generation& generation, Bytes& map, int* calls = nullptr) {
  return generation.seal(1234, [&](size_t elements) -> Result<std::span<uint8_t>> {
    if (calls != nullptr) ++*calls;
    map = Bytes(elements * 256, 0);
    return std::span(map);
  });
}

// And goes on with what was published, as the next loader does.
Bytes publish(Generation& generation) {
  auto map = std::make_shared<Bytes>();
  EXPECT_TRUE(seal_into(generation, *map));
  auto next = Generation::decode(*map, map);
  EXPECT_TRUE(next) << next.error().message;
  if (next) generation = *std::move(next);
  return *map;
}

diglim_generation header_of(const Bytes& map) {
  diglim_generation header = {};
  std::memcpy(&header, map.data(), sizeof(header));
  return header;
}

size_t hits(const Bytes& map, const Bytes& digests) {
  size_t count = 0;
  for (size_t i = 0; i < digests.size() / kSize; ++i) count += table_has(map, nth(digests, i));
  return count;
}

TEST(Generation, HoldsWhatWasPutAndNothingElse) {
  const Bytes in = random_digests(20000, 1);
  const Bytes out = random_digests(20000, 2);
  Generation generation(HashAlgo::kSha256);
  ASSERT_EQ(*generation.put(named("a"), in), Generation::Change::kAdded);
  const Bytes map = publish(generation);
  EXPECT_EQ(hits(map, in), 20000u);
  EXPECT_EQ(hits(map, out), 0u);
  EXPECT_LT(static_cast<double>(map.size()) / 20000, 34.7) << "bytes a digest";
}

TEST(Generation, ADeniedDigestGoesWithItsOtherOwners) {
  const Bytes first = random_digests(1000, 1);
  Bytes second = random_digests(500, 2);
  append(second, nth(first, 7));  // shared
  Generation generation(HashAlgo::kSha256);
  ASSERT_TRUE(generation.put(named("a"), first));
  ASSERT_TRUE(generation.put(named("b"), second));
  (void)publish(generation);
  const std::vector<Bytes> denied = {to_bytes(nth(first, 7)), to_bytes(nth(second, 3)), Bytes(32, 0x77)};
  generation.deny(Bytes(1000, 0xd1), denied);
  Bytes map = publish(generation);
  EXPECT_EQ(hits(map, first), 999u);
  EXPECT_EQ(hits(map, second), 499u);
  EXPECT_EQ(generation.last_removal(), 2u) << "or a verdict of before would still hold";
  EXPECT_EQ(to_bytes(generation.denials()), Bytes(1000, 0xd1));
  ASSERT_EQ(generation.lists().size(), 2u);
  // It stays so when the table is made anew, and when its owner goes.
  ASSERT_TRUE(generation.put(named("c"), random_digests(20000, 3)));
  map = publish(generation);
  EXPECT_EQ(hits(map, first), 999u);
  EXPECT_EQ(generation.last_removal(), 2u);
  EXPECT_EQ(generation.denials().size(), 1000u);
  ASSERT_TRUE(generation.remove("a"));
  map = publish(generation);
  EXPECT_EQ(hits(map, second), 499u);
  EXPECT_EQ(generation.denials().size(), 1000u);
}

TEST(Generation, EmptyOneHoldsNothing) {
  Generation generation(HashAlgo::kSha256);
  const Bytes map = publish(generation);
  EXPECT_EQ(header_of(map).buckets, 1u);
  EXPECT_EQ(hits(map, random_digests(10, 1)), 0u);
  EXPECT_EQ(decode(map)->lists().size(), 0u);
}

TEST(Generation, SurvivesTheKernel) {
  const Bytes first = random_digests(1000, 1);
  Bytes second = random_digests(500, 2);
  append(second, nth(first, 0));  // shared
  Generation generation(HashAlgo::kSha256);
  ASSERT_TRUE(generation.put(named("a"), first));
  ASSERT_TRUE(generation.put(named("b"), second));
  const Bytes published = publish(generation);
  auto decoded = decode(published);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(decoded->number(), 1u);
  EXPECT_EQ(decoded->loaded_at(), 1234u);
  EXPECT_EQ(decoded->distinct_digests(), 1500u);
  ASSERT_EQ(decoded->lists().size(), 2u);
  EXPECT_EQ(decoded->lists()[1].name, "b");
  EXPECT_EQ(decoded->lists()[1].package, "package of b");
  EXPECT_EQ(decoded->lists()[1].signer, "signer of b");
  EXPECT_EQ(decoded->lists()[1].digests, 501u);
  EXPECT_EQ(decoded->lists()[1].left_out, 7u);
  EXPECT_EQ(to_bytes(decoded->lists()[1].content_hash), Bytes(32, 1));
  EXPECT_TRUE(decoded->added().empty());
  EXPECT_TRUE(decoded->removed().empty());

  ASSERT_TRUE(decoded->remove("a"));
  const Bytes next = publish(*decoded);
  EXPECT_EQ(hits(next, first), 1u) << "the shared digest stays";
  EXPECT_EQ(hits(next, second), 501u);
}

TEST(Generation, CountsRemovalsOnlyWhenADigestIsGone) {
  const Bytes digests = random_digests(10, 1);
  Generation generation(HashAlgo::kSha256);
  ASSERT_TRUE(generation.put(named("a"), digests));
  publish(generation);
  EXPECT_EQ(generation.last_removal(), 0u);
  ASSERT_TRUE(generation.put(named("b"), digests));
  publish(generation);
  EXPECT_EQ(generation.last_removal(), 0u);
  ASSERT_TRUE(generation.remove("a"));
  publish(generation);
  EXPECT_EQ(generation.last_removal(), 0u) << "b still has them all";
  ASSERT_TRUE(generation.remove("b"));
  publish(generation);
  EXPECT_EQ(generation.number(), 4u);
  EXPECT_EQ(generation.last_removal(), 4u);
}

TEST(Generation, ReplacesByNameAndKnowsTheSame) {
  const Bytes old_digests = random_digests(10, 1);
  const Bytes new_digests = random_digests(10, 2);
  Generation generation(HashAlgo::kSha256);
  ASSERT_TRUE(generation.put(named("a", 1), old_digests));
  EXPECT_EQ(*generation.put(named("a", 1), old_digests), Generation::Change::kSame);
  EXPECT_EQ(*generation.put(named("a", 2), new_digests), Generation::Change::kReplaced);
  const Bytes map = publish(generation);
  EXPECT_EQ(hits(map, old_digests), 0u);
  EXPECT_EQ(hits(map, new_digests), 10u);
  EXPECT_FALSE(generation.remove("none"));
}

TEST(Generation, ListsMayBeEmptyAndNameADigestTwice) {
  const Bytes once = random_digests(1, 1);
  Bytes twice = once;
  append(twice, random_digests(1, 2));
  append(twice, once);
  Generation generation(HashAlgo::kSha256);
  ASSERT_TRUE(generation.put(named("empty"), {}));
  ASSERT_TRUE(generation.put(named("twice"), twice));
  ASSERT_TRUE(generation.put(named("also"), once));
  EXPECT_EQ(*generation.put(named("empty", 2), {}), Generation::Change::kReplaced);
  const Bytes published = publish(generation);
  auto decoded = decode(published);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(decoded->distinct_digests(), 2u);
  ASSERT_EQ(decoded->lists().size(), 3u);
  EXPECT_EQ(decoded->find("empty")->digests, 0u);
  EXPECT_EQ(decoded->find("twice")->digests, 3u);
  EXPECT_EQ(decoded->find("none"), nullptr);
  ASSERT_TRUE(decoded->remove("also"));
  EXPECT_EQ(hits(publish(*decoded), twice), 3u);
  EXPECT_EQ(decoded->last_removal(), 0u);
  ASSERT_TRUE(decoded->remove("empty"));
  ASSERT_TRUE(decoded->remove("twice"));
  const Bytes nothing = publish(*decoded);
  EXPECT_EQ(hits(nothing, twice), 0u);
  EXPECT_EQ(decoded->last_removal(), 3u);
}

// Sixty generations of random changes; a map of sets says what each must hold.
TEST(Generation, HoldsWhatItsListsHoldThroughManyChanges) {
  std::mt19937_64 random(7);
  const Bytes pool = random_digests(3000, 3);
  std::map<std::string, std::set<size_t>> model;
  const auto in_force = [&] {
    std::set<size_t> all;
    for (const auto& [name, digests] : model) all.insert(digests.begin(), digests.end());
    return all;
  };
  Generation generation(HashAlgo::kSha256);
  std::set<size_t> before;
  for (int round = 0; round < 60; ++round) {
    for (int i = 0; i < 12; ++i) {
      const std::string name = "list " + std::to_string(random() % 25);
      if (random() % 3 == 0) {
        EXPECT_EQ(generation.remove(name), model.erase(name) == 1);
        continue;
      }
      std::set<size_t> digests;
      const size_t start = random() % 3000;
      const size_t count = random() % 200;
      for (size_t k = start; k < std::min<size_t>(start + count, 3000); ++k) digests.insert(k);
      Bytes bytes;
      for (const size_t k : digests) append(bytes, nth(pool, k));
      LoadedList list = named(name);
      const Bytes digest = *hash(HashAlgo::kSha256, {bytes, as_bytes(name)});
      list.content_hash = digest;
      const bool known = model.contains(name);
      const auto change = generation.put(list, bytes);
      ASSERT_TRUE(change);
      EXPECT_EQ(*change == Generation::Change::kAdded, !known);
      model[name] = std::move(digests);
    }
    const Bytes map = publish(generation);
    const std::set<size_t> now = in_force();
    for (size_t k = 0; k < 3000; ++k) ASSERT_EQ(table_has(map, nth(pool, k)), now.contains(k)) << round;
    EXPECT_EQ(generation.distinct_digests(), now.size());
    const bool gone = !std::includes(now.begin(), now.end(), before.begin(), before.end());
    // A list that came and went within one round may count as a removal, too, which is safe.
    if (gone) {
      EXPECT_EQ(generation.last_removal(), generation.number()) << round;
    }
    before = now;
    ASSERT_EQ(generation.lists().size(), model.size());
    for (const auto& [name, digests] : model) EXPECT_EQ(generation.find(name)->digests, digests.size());
  }
}

// A table keeps its places while it grows by little, is made anew where it is full or has become empty, and
// needs a second try only when lists have much in common.
TEST(Generation, ChangesInPlaceWhereThereIsRoom) {
  const Bytes base = random_digests(20000, 1);
  Generation generation(HashAlgo::kSha256);
  ASSERT_TRUE(generation.put(named("base"), base));
  Bytes map = publish(generation);
  std::vector<int> calls;
  std::vector<uint32_t> buckets;
  for (int i = 0; i < 60; ++i) {
    ASSERT_TRUE(generation.put(named("list " + std::to_string(i)), random_digests(20, 100 + i)));
    auto next = std::make_shared<Bytes>();
    calls.push_back(0);
    ASSERT_TRUE(seal_into(generation, *next, &calls.back()));
    generation = *Generation::decode(*next, next);
    buckets.push_back(header_of(*next).buckets);
    EXPECT_EQ(hits(*next, base), 20000u);
    for (int k = 0; k <= i; ++k) ASSERT_EQ(hits(*next, random_digests(20, 100 + k)), 20u) << i << " " << k;
  }
  EXPECT_EQ(buckets[0], header_of(map).buckets);
  EXPECT_GT(buckets[59], buckets[0]);
  EXPECT_EQ(std::count(calls.begin(), calls.end(), 1),
            60 - std::count_if(calls.begin(), calls.end(), [](int n) { return n > 1; }));
  EXPECT_LE(std::set<uint32_t>(buckets.begin(), buckets.end()).size(), 5u) << "made anew only now and then";
  EXPECT_GE(generation.distinct_digests(), 0.96 * 8 * buckets[59]);
  ASSERT_TRUE(generation.remove("base"));
  map = publish(generation);
  EXPECT_LE(header_of(map).buckets, 1200 / (8 * 0.96) + 1);
  EXPECT_EQ(hits(map, base), 0u);
  EXPECT_EQ(generation.distinct_digests(), 1200u);
}

TEST(Generation, TakesNoRoomForWhatListsHaveInCommon) {
  const Bytes common = random_digests(5000, 1);
  Generation generation(HashAlgo::kSha256);
  for (int i = 0; i < 4; ++i) {
    Bytes digests = common;
    append(digests, random_digests(100, 10 + i));
    ASSERT_TRUE(generation.put(named(std::string(1, static_cast<char>('a' + i))), digests));
  }
  Bytes map = publish(generation);
  EXPECT_EQ(header_of(map).digests, 5400u);
  EXPECT_EQ(header_of(map).shared, 15000u);
  EXPECT_LE(header_of(map).buckets, 5400 / (8 * 0.985) + 1);
  // Whoever of them has it last keeps it.
  for (const char* name : {"a", "d", "b"}) {
    ASSERT_TRUE(generation.remove(name));
    map = publish(generation);
    EXPECT_EQ(hits(map, common), 5000u);
  }
  EXPECT_EQ(header_of(map).digests, 5100u);
  EXPECT_EQ(header_of(map).shared, 0u);
  ASSERT_TRUE(generation.remove("c"));
  EXPECT_EQ(hits(publish(generation), common), 0u);
}

TEST(Generation, SaysWhatChanged) {
  Generation generation(HashAlgo::kSha256);
  for (const char* name : {"a", "b", "c"}) ASSERT_TRUE(generation.put(named(name), random_digests(3, 1)));
  EXPECT_EQ(generation.added().size(), 3u);
  (void)publish(generation);
  ASSERT_TRUE(generation.put(named("b", 2), random_digests(3, 2)));
  ASSERT_TRUE(generation.put(named("d"), random_digests(3, 3)));
  ASSERT_TRUE(generation.put(named("e"), random_digests(3, 3)));
  ASSERT_TRUE(generation.remove("a"));
  ASSERT_TRUE(generation.remove("e"));
  generation.set_source("c", 5, 6);
  std::set<std::string_view> added;
  for (const LoadedList& list : generation.added()) added.insert(list.name);
  std::set<std::string_view> removed;
  for (const LoadedList& list : generation.removed()) removed.insert(list.name);
  EXPECT_EQ(added, (std::set<std::string_view>{"b", "d"}));
  EXPECT_EQ(removed, (std::set<std::string_view>{"a", "b"}));
  const Bytes map = publish(generation);
  EXPECT_EQ(generation.find("c")->origin, 5u);
  EXPECT_EQ(generation.find("c")->stamp, 6u);
  EXPECT_EQ(to_bytes(generation.find("b")->content_hash), Bytes(32, 2));
  EXPECT_EQ(generation.lists().size(), 3u);
}

TEST(Generation, TakesAsManyListsAsThereAreNumbers) {
  Generation generation(HashAlgo::kSha256);
  const Bytes hash(32, 1);
  const auto put = [&](int i) {
    const std::string name = std::to_string(i);
    LoadedList list;
    list.name = name;
    list.content_hash = hash;
    return generation.put(list, random_digests(1, 1 + i));
  };
  for (int i = 0; i < 65535; ++i) ASSERT_TRUE(put(i));
  EXPECT_EQ(put(65535).error().code, ErrorCode::kUnsupported);
  (void)publish(generation);
  ASSERT_TRUE(generation.remove("17"));
  ASSERT_TRUE(put(65535));
  const Bytes map = publish(generation);
  EXPECT_FALSE(table_has(map, random_digests(1, 18)));
  EXPECT_TRUE(table_has(map, random_digests(1, 65536)));
}

// A load of 0.985 is reached at every size, so that memory does not depend on luck.
TEST(Generation, FillsTheTableAtEverySize) {
  for (const size_t count : {100, 1000, 10'000, 100'000}) {
    Generation generation(HashAlgo::kSha256);
    ASSERT_TRUE(generation.put(named("a"), random_digests(count, count)));
    const Bytes map = publish(generation);
    EXPECT_LE(header_of(map).buckets, static_cast<double>(count) / (8 * 0.985) + 1) << count;
  }
}

TEST(Generation, RefusesWhatTheTableCannotHold) {
  Generation generation(HashAlgo::kSha256);
  EXPECT_EQ(generation.put(named("a"), Bytes(32, 0)).error().message,
            "a digest that begins with eight zeros");
  Bytes nearly(8, 0);
  append(nearly, Bytes(24, 1));
  EXPECT_FALSE(generation.put(named("a"), nearly));
  EXPECT_FALSE(generation.put(named(""), {}));
  EXPECT_FALSE(generation.put(named("a/b"), {}));
  EXPECT_FALSE(generation.put(named(std::string(256, 'a')), {}));
  Bytes colliding;
  for (uint32_t i = 0; i < 100; ++i) {
    put_u64_le(colliding, 42);
    put_u64_le(colliding, i);
    append(colliding, Bytes(16, 1));
  }
  ASSERT_TRUE(generation.put(named("evil"), colliding));
  Bytes map;
  EXPECT_EQ(seal_into(generation, map).error().code, ErrorCode::kUnsupported);
}

TEST(Generation, OtherDigestSizesShareTheSlot) {
  for (const HashAlgo algo : {HashAlgo::kSha1, HashAlgo::kSha384, HashAlgo::kSha512}) {
    const Bytes digest = *hash(algo, {as_bytes("x")});
    Generation generation(algo);
    ASSERT_TRUE(generation.put(named("a"), digest));
    const Bytes map = publish(generation);
    EXPECT_TRUE(table_has(map, digest));
    EXPECT_FALSE(table_has(map, *hash(algo, {as_bytes("y")})));
    EXPECT_EQ(decode(map)->algo(), algo);
  }
}

TEST(Generation, DecodeNeverTrustsItsInput) {
  Generation generation(HashAlgo::kSha256);
  ASSERT_TRUE(generation.put(named("a"), random_digests(20, 1)));
  ASSERT_TRUE(generation.put(named("b"), random_digests(5, 1)));
  const Bytes good = publish(generation);
  for (size_t size = 0; size < good.size(); size += 64) {
    (void)Generation::decode(ByteView(good).first(size), nullptr);  // must not read past the end (ASan)
  }
  std::mt19937 random(1);
  for (int i = 0; i < 3000; ++i) {
    Bytes bad = good;
    bad[random() % bad.size()] ^= static_cast<uint8_t>(1u << random() % 8);
    // Whatever it is, the next one can be made of it.
    if (auto decoded = decode(bad); decoded && decoded->remove("b")) {
      Bytes next;
      (void)seal_into(*decoded, next);
    }
  }
  Bytes other = good;
  other[0] = DIGLIM_ABI_VERSION + 1;
  EXPECT_EQ(decode(other).error().code, ErrorCode::kUnsupported);
  other = good;
  std::fill(other.begin() + 256, other.begin() + 512, uint8_t{0});
  EXPECT_EQ(decode(other).error().code, ErrorCode::kCorrupt) << "shared digests have empty places";
}

// What is loaded or withdrawn during monitor mode must neither end nor prolong it.
TEST(Generation, EachKeepsMonitorMode) {
  Generation first(HashAlgo::kSha256);
  EXPECT_EQ(first.monitor().until_ns, 0u);
  EXPECT_FALSE(first.begin_monitor(1, std::string(DIGLIM_MONITOR_REASON + 1, 'x')));
  EXPECT_EQ(first.monitor().count, 0u);
  const std::string longest(DIGLIM_MONITOR_REASON, 'x');
  ASSERT_TRUE(first.begin_monitor(5'000'000'000, longest));
  ASSERT_TRUE(first.put(named("a"), random_digests(9, 1)));
  auto map = std::make_shared<Bytes>();
  ASSERT_TRUE(seal_into(first, *map));
  Generation second = *Generation::decode(*map, map);
  EXPECT_EQ(second.monitor().reason, longest);
  ASSERT_TRUE(second.remove("a"));
  ASSERT_TRUE(second.put(named("b"), random_digests(9, 2)));
  auto next = std::make_shared<Bytes>();
  ASSERT_TRUE(seal_into(second, *next));
  Generation third = *Generation::decode(*next, next);
  EXPECT_EQ(third.monitor().until_ns, 5'000'000'000u);
  EXPECT_EQ(third.monitor().count, 1u);
  // The digests are the same, so no verdict is lost.
  ASSERT_TRUE(third.begin_monitor(7, "short"));
  auto last = std::make_shared<Bytes>();
  ASSERT_TRUE(seal_into(third, *last));
  EXPECT_EQ(third.last_removal(), second.last_removal());
  Generation fourth = *Generation::decode(*last, last);
  EXPECT_EQ(fourth.monitor().reason, "short");
  EXPECT_EQ(fourth.monitor().count, 2u);
  fourth.end_monitor();
  EXPECT_EQ(fourth.monitor().until_ns, 0u);
  EXPECT_EQ(fourth.monitor().count, 2u);  // so that no statement counts twice
}

TEST(Generation, EachKeepsTheGrantedKeys) {
  Generation first(HashAlgo::kSha256);
  ASSERT_TRUE(first.put(named("a"), random_digests(9, 1)));
  first.deny(Bytes(300, 0xd1), {});
  first.set_grants(Bytes(700, 0xa1));
  auto map = std::make_shared<Bytes>();
  ASSERT_TRUE(seal_into(first, *map));
  Generation second = *Generation::decode(*map, map);
  EXPECT_EQ(to_bytes(second.grants()), Bytes(700, 0xa1));
  EXPECT_EQ(to_bytes(second.denials()), Bytes(300, 0xd1));
  ASSERT_TRUE(second.put(named("b"), random_digests(9, 2)));
  auto next = std::make_shared<Bytes>();
  ASSERT_TRUE(seal_into(second, *next));
  Generation third = *Generation::decode(*next, next);
  EXPECT_EQ(to_bytes(third.grants()), Bytes(700, 0xa1));
  third.set_grants({});
  const Bytes last = publish(third);
  EXPECT_TRUE(decode(last)->grants().empty());
  EXPECT_EQ(to_bytes(decode(last)->denials()), Bytes(300, 0xd1));
  // A size that is not true reaches over the end.
  Bytes bad = *map;
  bad[offsetof(diglim_generation, grant_bytes) + 3] = 0x7f;
  EXPECT_EQ(decode(bad).error().code, ErrorCode::kCorrupt);
}

TEST(Generation, RemembersTheManifestMeasuredLast) {
  Generation generation(HashAlgo::kSha256);
  generation.set_manifest(6, Bytes(32, 0xac));
  Bytes map;
  ASSERT_TRUE(seal_into(generation, map));
  generation.set_manifest(7, Bytes(32, 0xab));  // it counts also after seal()
  const auto decoded = decode(map);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->manifest_number(), 7u);
  EXPECT_EQ(to_bytes(decoded->manifest_hash()), Bytes(32, 0xab));

  Generation other(HashAlgo::kSha256);
  const Bytes without = publish(other);
  EXPECT_EQ(decode(without)->manifest_number(), 0u);
  EXPECT_TRUE(decode(without)->manifest_hash().empty());
}

}  // namespace
}  // namespace diglim
