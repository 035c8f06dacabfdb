// SPDX-License-Identifier: Apache-2.0
#include "lib/crypto/signature_policy.h"

#include <gtest/gtest.h>

namespace diglim {
namespace {

TEST(SignaturePolicy, AllowsOnlySha2UnlessAWeakHashIsNamed) {
  const SignaturePolicy strict;
  SignaturePolicy old;
  old.allowed_weak_hashes = {HashAlgo::kSha1};
  for (const HashAlgo algo : {HashAlgo::kSha224, HashAlgo::kSha256, HashAlgo::kSha384, HashAlgo::kSha512}) {
    EXPECT_TRUE(strict.allows(algo)) << hash_name(algo);
    EXPECT_TRUE(old.allows(algo)) << hash_name(algo);
  }
  for (const HashAlgo algo : {HashAlgo::kMd5, HashAlgo::kSha1, HashAlgo::kRipemd160}) {
    EXPECT_FALSE(strict.allows(algo)) << hash_name(algo);
    EXPECT_EQ(old.allows(algo), algo == HashAlgo::kSha1) << hash_name(algo);
  }
}

}  // namespace
}  // namespace diglim
