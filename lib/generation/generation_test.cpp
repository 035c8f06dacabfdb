// SPDX-License-Identifier: Apache-2.0
#include "lib/generation/generation.h"

#include <gtest/gtest.h>

#include <random>

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
  generation.seal(1234);
  auto elements = generation.prepare();
  EXPECT_TRUE(elements);
  Bytes map(*elements * 256, 0);
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
  EXPECT_LT(static_cast<double>(map.size()) / 20000, 32 / 0.94 + 4 + 0.1) << "bytes a digest";
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
  generation.seal(1);
  EXPECT_EQ(generation.prepare().error().code, ErrorCode::kUnsupported);
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
}

TEST(Generation, RemembersTheManifestMeasuredLast) {
  Generation generation(HashAlgo::kSha256);
  generation.set_manifest(7, Bytes(32, 0xab));
  generation.seal(1);
  const auto elements = generation.prepare();
  ASSERT_TRUE(elements);
  Bytes map(*elements * 256);
  generation.encode(map);
  const auto decoded = Generation::decode(map);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->manifest_number(), 7u);
  EXPECT_EQ(decoded->manifest_hash(), Bytes(32, 0xab));

  Generation other(HashAlgo::kSha256);
  other.seal(1);
  map.assign(*other.prepare() * 256, 0);
  other.encode(map);
  EXPECT_EQ(Generation::decode(map)->manifest_number(), 0u);
  EXPECT_TRUE(Generation::decode(map)->manifest_hash().empty());
}

}  // namespace
}  // namespace diglim
