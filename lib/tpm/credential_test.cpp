// SPDX-License-Identifier: Apache-2.0
// That a TPM opens what is made here is shown by selftests/attest.
#include "lib/tpm/credential.h"

#include <gtest/gtest.h>

#include "lib/tcg/test_tpm.h"

namespace diglim {
namespace {

TEST(Credential, OnlyForAnEndorsementKey) {
  const Bytes signing_key = TestTpm().ak();
  const auto made = make_credential(signing_key, Bytes(34, 1), Bytes(32, 2));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kUntrusted);
  EXPECT_EQ(make_credential(Bytes(10, 0), Bytes(34, 1), Bytes(32, 2)).error().code, ErrorCode::kCorrupt);
}

TEST(Credential, OnlyForASecretThatFits) {
  EXPECT_EQ(make_credential({}, Bytes(34, 1), Bytes(33, 2)).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(make_credential({}, Bytes(34, 1), {}).error().code, ErrorCode::kInvalid);
}

}  // namespace
}  // namespace diglim
