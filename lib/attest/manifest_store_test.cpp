// SPDX-License-Identifier: Apache-2.0
#include "lib/attest/manifest_store.h"

#include <gtest/gtest.h>

#include <thread>

#include "lib/attest/test_attester.h"

namespace diglim {
namespace {

JudgedManifestPtr of_size(size_t bytes) {
  auto manifest = std::make_shared<JudgedManifest>();
  manifest->content = Bytes(bytes, 'x');
  return manifest;
}
Bytes digest(uint8_t number) {
  return Bytes(32, number);
}
const VerifierPolicy kPolicy;
JudgedManifestPtr find(ManifestStore& store, HashAlgo algo, ByteView digest) {
  const auto found = store.find(algo, digest, kPolicy);
  EXPECT_TRUE(found);
  return found ? *found : nullptr;
}

TEST(ManifestStore, FindsByAlgorithmAndDigest) {
  ManifestStore store;
  const auto manifest = of_size(1);
  store.keep(HashAlgo::kSha256, digest(1), kPolicy, manifest);
  EXPECT_EQ(find(store, HashAlgo::kSha256, digest(1)), manifest);
  EXPECT_EQ(find(store, HashAlgo::kSha256, digest(2)), nullptr);
  EXPECT_EQ(find(store, HashAlgo::kSha512, digest(1)), nullptr);
}

TEST(ManifestStore, TheOneAskedForLongestAgoGoesFirst) {
  ManifestStore store(2, 100);
  store.keep(HashAlgo::kSha256, digest(1), kPolicy, of_size(1));
  store.keep(HashAlgo::kSha256, digest(2), kPolicy, of_size(1));
  EXPECT_NE(find(store, HashAlgo::kSha256, digest(1)), nullptr);
  store.keep(HashAlgo::kSha256, digest(3), kPolicy, of_size(1));
  EXPECT_EQ(store.size(), 2u);
  EXPECT_NE(find(store, HashAlgo::kSha256, digest(1)), nullptr);
  EXPECT_EQ(find(store, HashAlgo::kSha256, digest(2)), nullptr);
  EXPECT_NE(find(store, HashAlgo::kSha256, digest(3)), nullptr);
}

TEST(ManifestStore, HoldsNoMoreBytesThanItMay) {
  ManifestStore store(100, 10);
  store.keep(HashAlgo::kSha256, digest(1), kPolicy, of_size(6));
  store.keep(HashAlgo::kSha256, digest(1), kPolicy, of_size(6));  // is there
  store.keep(HashAlgo::kSha256, digest(2), kPolicy, of_size(4));
  EXPECT_EQ(store.size(), 2u);
  store.keep(HashAlgo::kSha256, digest(3), kPolicy, of_size(11));  // larger than all: pushes nothing out
  EXPECT_EQ(store.size(), 2u);
  store.keep(HashAlgo::kSha256, digest(4), kPolicy, of_size(10));
  EXPECT_EQ(store.size(), 1u);
  EXPECT_NE(find(store, HashAlgo::kSha256, digest(4)), nullptr);
}

// Two manifests of one SHA-1 can be made: one machine's would be judged in place of another's.
TEST(ManifestStore, KeepsNothingByAWeakDigest) {
  ManifestStore store;
  store.keep(HashAlgo::kSha1, Bytes(20, 1), kPolicy, of_size(1));
  EXPECT_EQ(store.size(), 0u);
}

// What one machine's policy made of it is not what another's would.
TEST(ManifestStore, JudgesAnewForOtherLists) {
  ManifestStore store;
  const Bytes content = must_have(write_manifest(TestAttester().boot));
  VerifierPolicy any, none;
  none.accepted->lists.emplace();
  const auto judged = must_have(judge_manifest(content, any));
  judged->content = content;
  ASSERT_TRUE(judged->lists_accepted);
  store.keep(HashAlgo::kSha256, judged->sha256, any, judged);
  EXPECT_EQ(must_have(store.find(HashAlgo::kSha256, judged->sha256, any)), judged);
  EXPECT_FALSE(must_have(store.find(HashAlgo::kSha256, judged->sha256, none))->lists_accepted);
  EXPECT_EQ(must_have(store.find(HashAlgo::kSha256, digest(1), none)), nullptr);
  EXPECT_EQ(must_have(store.find(HashAlgo::kSha512, judged->sha256, none)), nullptr);
}

TEST(ManifestStore, ManyThreads) {
  ManifestStore store(16, 1000);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&store] {
      for (int i = 0; i < 5000; ++i) {
        const auto number = static_cast<uint8_t>(i % 40);
        const auto found = find(store, HashAlgo::kSha256, digest(number));
        EXPECT_TRUE(!found || found->content.size() == number + 1u);
        store.keep(HashAlgo::kSha256, digest(number), kPolicy, of_size(number + 1u));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(store.size(), 16u);
}

}  // namespace
}  // namespace diglim
