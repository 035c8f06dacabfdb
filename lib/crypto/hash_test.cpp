// SPDX-License-Identifier: Apache-2.0
#include "lib/crypto/hash.h"

#include <gtest/gtest.h>

namespace diglim {
namespace {

TEST(Hash, KnownAnswers) {
  EXPECT_EQ(to_hex(*hash(HashAlgo::kSha256, {as_bytes("a"), as_bytes("bc")})),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(*hash(HashAlgo::kMd5, {as_bytes("abc")})), "900150983cd24fb0d6963f7d28e17f72");
}

TEST(MessageHash, GivesTheHashOfTheMessageAndWhatFollows) {
  MessageHash message(as_bytes("a"));
  for (int again = 0; again < 2; ++again) {
    for (const HashAlgo algo : {HashAlgo::kSha256, HashAlgo::kMd5, HashAlgo::kSha512}) {
      EXPECT_EQ(*message.hash(algo, as_bytes("bc")), *hash(algo, {as_bytes("abc")}));
      EXPECT_EQ(*message.hash(algo), *hash(algo, {as_bytes("a")}));
    }
  }
  EXPECT_EQ(*MessageHash({}).hash(HashAlgo::kSha1), *hash(HashAlgo::kSha1, {}));
}

TEST(Hash, NumberingsAgree) {
  for (uint16_t number = 1; number <= 7; ++number) {
    const auto algo = hash_from_kernel(number);
    ASSERT_TRUE(algo);
    EXPECT_EQ(hash(*algo, {})->size(), hash_size(*algo)) << hash_name(*algo);
    EXPECT_EQ(hash_from_name(hash_name(*algo)), *algo);
  }
  EXPECT_EQ(hash_from_openpgp(8), HashAlgo::kSha256);
  EXPECT_EQ(hash_from_openpgp(10), HashAlgo::kSha512);
  EXPECT_FALSE(hash_from_kernel(0));
  EXPECT_FALSE(hash_from_kernel(8));
  EXPECT_FALSE(hash_from_openpgp(4));
  EXPECT_FALSE(hash_from_name("none"));
}

}  // namespace
}  // namespace diglim
