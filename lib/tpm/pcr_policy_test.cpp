// SPDX-License-Identifier: Apache-2.0
// That a TPM computes the same is shown by selftests/attest.
#include "lib/tpm/pcr_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ec.h>

#include "lib/crypto/public_key.h"
#include "lib/tpm/signing_key.h"

namespace diglim {
namespace {

using testing::HasSubstr;

Authorization example() {
  Authorization authorization;
  authorization.selection = {HashAlgo::kSha256, {0, 10}};
  authorization.values = {{0, Bytes(32, 1)}, {10, Bytes(32, 2)}};
  authorization.signature = {1, 2, 3};
  return authorization;
}

TEST(PcrPolicy, DependsOnEachRegisterAndItsNumber) {
  const Authorization one = example();
  const Bytes digest = *policy_pcr_digest(one.selection, one.values);
  EXPECT_EQ(digest.size(), 32u);
  auto other = one;
  other.values[10][31] ^= 1;
  EXPECT_NE(*policy_pcr_digest(other.selection, other.values), digest);
  other = one;
  other.selection.pcrs = {0, 11};
  other.values = {{0, Bytes(32, 1)}, {11, Bytes(32, 2)}};
  EXPECT_NE(*policy_pcr_digest(other.selection, other.values), digest);
  other = one;
  other.values.erase(10);
  EXPECT_EQ(policy_pcr_digest(other.selection, other.values).error().code, ErrorCode::kInvalid);
  other = one;
  other.values[10].pop_back();
  EXPECT_EQ(policy_pcr_digest(other.selection, other.values).error().code, ErrorCode::kInvalid);
}

TEST(PcrPolicy, AuthorizationFile) {
  const Authorization one = example();
  const auto again = read_authorization(write_authorization(one));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->selection.pcrs, one.selection.pcrs);
  EXPECT_EQ(again->values, one.values);
  EXPECT_EQ(again->signature, one.signature);
  EXPECT_FALSE(read_authorization("{}"));
  EXPECT_FALSE(read_authorization("x"));
  EXPECT_FALSE(read_authorization(R"({"diglim-authorization": 2})"));
  EXPECT_THAT(read_authorization(R"({"diglim-authorization": 1, "bank": "sha256", "pcrs": [{"pcr": 24}]})")
                  .error()
                  .message,
              HasSubstr("PCRs 0 to 23"));
  EXPECT_THAT(read_authorization(
                  R"({"diglim-authorization": 1, "bank": "sha256", "pcrs": [{"pcr": 1, "value": "00"}]})")
                  .error()
                  .message,
              HasSubstr("another size"));
}

TEST(PcrPolicy, SealedFile) {
  SealedObject object;
  object.policy.selection = {HashAlgo::kSha256, {10}};
  object.policy.authorize_key = "PEM";
  object.public_part = {1};
  object.private_part = {2};
  const auto by_key = read_sealed(write_sealed(object));
  ASSERT_TRUE(by_key) << by_key.error().message;
  EXPECT_EQ(by_key->policy.authorize_key, "PEM");
  object.policy.authorize_key.clear();
  EXPECT_FALSE(read_sealed(write_sealed(object)));  // neither values nor a key
  object.policy.values = {{10, Bytes(32, 1)}};
  const auto by_value = read_sealed(write_sealed(object));
  ASSERT_TRUE(by_value) << by_value.error().message;
  EXPECT_EQ(by_value->policy.values, object.policy.values);
  EXPECT_EQ(by_value->private_part, object.private_part);
}

TEST(SigningKey, SignsWhatOpensslVerifies) {
  init_openssl();
  const PkeyPtr key(EVP_EC_gen("P-256"));
  ASSERT_TRUE(key);
  const Bytes digest(32, 7);
  const auto signature = sign_digest(key.get(), digest);
  ASSERT_TRUE(signature);
  const auto tpm = tpm_signature(key.get(), *signature);
  ASSERT_TRUE(tpm);
  const TPMS_SIGNATURE_ECDSA& ecdsa = tpm->signature.ecdsa;
  EXPECT_TRUE(verify_ecdsa(key.get(), digest, {ecdsa.signatureR.buffer, ecdsa.signatureR.size},
                           {ecdsa.signatureS.buffer, ecdsa.signatureS.size}));
  EXPECT_FALSE(tpm_signature(key.get(), Bytes(70, 0x30)));
  const auto pem = public_pem(key.get());
  ASSERT_TRUE(pem);
  const auto again = read_public_pem(*pem);
  ASSERT_TRUE(again);
  EXPECT_EQ(*tpm_public_key_name(again->get()), *tpm_public_key_name(key.get()));
  const PkeyPtr wrong(EVP_EC_gen("P-384"));
  EXPECT_EQ(read_public_pem(*public_pem(wrong.get())).error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace diglim
