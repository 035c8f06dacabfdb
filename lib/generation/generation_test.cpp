// SPDX-License-Identifier: Apache-2.0
#include "lib/generation/generation.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
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

LoadedList named(const std::string& name, uint8_t hash = 1) {
  return {name, Bytes(32, hash), "package of " + name, "signer of " + name, 0, 7};
}

Bytes publish(Generation& generation) {
  EXPECT_TRUE(generation.seal(1234));
  Bytes map(generation.elements() * 256, 0);
  generation.encode(map);
  return map;
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
  EXPECT_LT(static_cast<double>(map.size()) / 20000, 32 / 0.98 + 1 + 0.1) << "bytes a digest";
}

TEST(Generation, EmptyOneHoldsNothing) {
  Generation generation(HashAlgo::kSha256);
  const Bytes map = publish(generation);
  EXPECT_EQ(hits(map, random_digests(10, 1)), 0u);
  EXPECT_EQ(Generation::decode(map)->lists().size(), 0u);
}

TEST(Generation, SurvivesTheKernel) {
  const Bytes first = random_digests(1000, 1);
  Bytes second = random_digests(500, 2);
  append(second, nth(first, 0));  // shared
  Generation generation(HashAlgo::kSha256);
  ASSERT_TRUE(generation.put(named("a"), first));
  ASSERT_TRUE(generation.put(named("b"), second));
  auto decoded = Generation::decode(publish(generation));
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
  EXPECT_EQ(decoded->lists()[1].content_hash, Bytes(32, 1));

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
  auto decoded = Generation::decode(publish(generation));
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

// Thirty generations of random changes; a map of sets says what each must hold.
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
  for (int round = 0; round < 30; ++round) {
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
      list.content_hash = *hash(HashAlgo::kSha256, {bytes, as_bytes(name)});
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
    auto decoded = Generation::decode(map);
    ASSERT_TRUE(decoded) << decoded.error().message;
    ASSERT_EQ(decoded->lists().size(), model.size());
    for (const auto& [name, digests] : model) EXPECT_EQ(decoded->find(name)->digests, digests.size());
    generation = *std::move(decoded);
  }
}

// A load of 0.985 is reached at every size, so that memory does not depend on luck.
TEST(Generation, FillsTheTableAtEverySize) {
  for (const size_t count : {100, 1000, 10'000, 100'000}) {
    Generation generation(HashAlgo::kSha256);
    ASSERT_TRUE(generation.put(named("a"), random_digests(count, count)));
    const Bytes map = publish(generation);
    diglim_generation header = {};
    std::memcpy(&header, map.data(), sizeof(header));
    EXPECT_LE(header.buckets, static_cast<double>(count) / (8 * 0.985) + 1) << count;
  }
}

TEST(Generation, RefusesWhatTheTableCannotHold) {
  Generation generation(HashAlgo::kSha256);
  EXPECT_EQ(generation.put(named("a"), Bytes(32, 0)).error().message, "a digest of zeros only");
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
  EXPECT_EQ(generation.seal(1).error().code, ErrorCode::kUnsupported);
}

TEST(Generation, OtherDigestSizesShareTheSlot) {
  for (const HashAlgo algo : {HashAlgo::kSha1, HashAlgo::kSha384, HashAlgo::kSha512}) {
    const Bytes digest = *hash(algo, {as_bytes("x")});
    Generation generation(algo);
    ASSERT_TRUE(generation.put(named("a"), digest));
    const Bytes map = publish(generation);
    EXPECT_TRUE(table_has(map, digest));
    EXPECT_FALSE(table_has(map, *hash(algo, {as_bytes("y")})));
    EXPECT_EQ(Generation::decode(map)->algo(), algo);
  }
}

TEST(Generation, DecodeNeverTrustsItsInput) {
  Generation generation(HashAlgo::kSha256);
  ASSERT_TRUE(generation.put(named("a"), random_digests(20, 1)));
  const Bytes good = publish(generation);
  for (size_t size = 0; size < good.size(); size += 64) {
    (void)Generation::decode(ByteView(good).first(size));  // must not read past the end (ASan)
  }
  std::mt19937 random(1);
  for (int i = 0; i < 3000; ++i) {
    Bytes bad = good;
    bad[random() % bad.size()] ^= static_cast<uint8_t>(1u << random() % 8);
    (void)Generation::decode(bad);
  }
  Bytes other = good;
  other[0] = 9;
  EXPECT_EQ(Generation::decode(other).error().code, ErrorCode::kUnsupported);
  other = good;
  std::fill(other.begin() + 256, other.begin() + 512, uint8_t{0});
  EXPECT_EQ(Generation::decode(other).error().code, ErrorCode::kCorrupt) << "members point to empty places";
}

TEST(Generation, RemembersTheManifestMeasuredLast) {
  Generation generation(HashAlgo::kSha256);
  generation.set_manifest(7, Bytes(32, 0xab));
  const Bytes map = publish(generation);
  const auto decoded = Generation::decode(map);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->manifest_number(), 7u);
  EXPECT_EQ(decoded->manifest_hash(), Bytes(32, 0xab));

  Generation other(HashAlgo::kSha256);
  const Bytes without = publish(other);
  EXPECT_EQ(Generation::decode(without)->manifest_number(), 0u);
  EXPECT_TRUE(Generation::decode(without)->manifest_hash().empty());
}

}  // namespace
}  // namespace diglim
