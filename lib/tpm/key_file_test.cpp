// SPDX-License-Identifier: Apache-2.0
// That a TPM takes such keys is shown by selftests/attest/tls_test.
#include "lib/tpm/key_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/err.h>

#include "lib/tcg/marshal.h"
#include "lib/tpm/key_policy.h"
#include "lib/tpm/key_public.h"
#include "lib/tpm/pcr_policy.h"
#include "lib/tpm/signing_key.h"
#include "lib/tpm/test_key.h"

namespace diglim {
namespace {

using testing::HasSubstr;

std::string why_not(const KeyFile& key) {
  const auto parts = read_key_parts(key);
  return parts ? "taken" : parts.error().message;
}

TEST(KeyFile, WhatWasWrittenIsRead) {
  const KeyFile key = TestKey().approved();
  const auto pem = write_key_pem(key);
  ASSERT_TRUE(pem) << pem.error().message;
  EXPECT_THAT(*pem, HasSubstr("-----BEGIN TSS2 PRIVATE KEY-----"));
  const auto read = read_key_pem("text before\n" + *pem);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->parent, key.parent);
  EXPECT_EQ(read->public_part, key.public_part);
  EXPECT_EQ(read->private_part, key.private_part);
  ASSERT_EQ(read->alternatives.size(), 1u);
  ASSERT_EQ(read->alternatives[0].size(), 2u);
  EXPECT_EQ(read->alternatives[0][1].code, TPM2_CC{TPM2_CC_PolicyAuthorize});
  EXPECT_EQ(read->alternatives[0][1].parameters, key.alternatives[0][1].parameters);
  EXPECT_EQ(*write_key_der(*read), *write_key_der(key));
}

TEST(KeyFile, RefusesWhatIsNone) {
  EXPECT_FALSE(read_key_pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"));
  EXPECT_FALSE(read_key_der({}));
  Bytes der = *write_key_der(TestKey().bound());
  for (size_t size = 0; size < der.size(); ++size) EXPECT_FALSE(read_key_der({der.data(), size})) << size;
  der.push_back(0);
  EXPECT_EQ(read_key_der(der).error().code, ErrorCode::kCorrupt);
  EXPECT_FALSE(read_key_der(Bytes(kMaxKeyFileBytes + 1, 0x30)));
  KeyFile many = TestKey().bound();
  many.alternatives.assign(65, many.policy);
  EXPECT_FALSE(read_key_der(*write_key_der(many)));
  many.alternatives.clear();
  many.policy.assign(9, many.policy[0]);
  EXPECT_FALSE(read_key_der(*write_key_der(many)));
}

// A file may be a server's whole chain, and what is lost with the private part is lost for ever.
TEST(KeyFile, WhatStandsAroundAKeyStays) {
  KeyFile key = TestKey().approved();
  key.description = "web server";
  const std::string pem = *write_key_pem(key);
  EXPECT_EQ(read_key_pem(pem)->description, "web server");
  const std::string around = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  const std::string old = *write_key_pem(TestKey().bound());
  EXPECT_EQ(*replace_key_pem(old, key), pem);
  EXPECT_EQ(*replace_key_pem("# mine\n" + around + old + around, key), "# mine\n" + around + pem + around);
  std::string lines;
  for (const char c : old) lines += c == '\n' ? std::string("\r\n") : std::string(1, c);
  EXPECT_EQ(*replace_key_pem(lines + around, key), pem + around);
  EXPECT_EQ(*replace_key_pem("x -----BEGIN TSS2 PRIVATE KEY-----\n" + old, key),
            "x -----BEGIN TSS2 PRIVATE KEY-----\n" + pem);
  EXPECT_EQ(replace_key_pem(old + old, key).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(replace_key_pem(around, key).error().code, ErrorCode::kCorrupt);
}

TEST(KeyFile, LeavesTheErrorsOfOthers) {
  ERR_clear_error();
  ERR_raise(ERR_LIB_USER, ERR_R_INTERNAL_ERROR);
  const unsigned long before = ERR_peek_last_error();
  EXPECT_FALSE(read_key_der(Bytes(16, 0x30)));
  EXPECT_EQ(ERR_peek_last_error(), before);
  ERR_clear_error();
  EXPECT_FALSE(read_key_der(Bytes(16, 0x30)));
  EXPECT_EQ(ERR_peek_last_error(), 0u);
}

TEST(KeyPolicy, TakesKeysThatFitTheirPolicy) {
  const TestKey maker;
  EXPECT_EQ(why_not(maker.bound()), "taken");
  EXPECT_EQ(why_not(maker.approved()), "taken");
  EXPECT_EQ(why_not(maker.unbound()), "taken");
  KeyFile first = maker.approved();  // PolicyAuthorize first, as some write it
  std::swap(first.alternatives[0][0], first.alternatives[0][1]);
  EXPECT_EQ(why_not(first), "taken");
}

TEST(KeyPolicy, RefusesAPolicyThatIsNotTheKeys) {
  const TestKey maker;
  KeyFile key = maker.bound();
  key.policy[0].parameters[5] ^= 1;
  EXPECT_THAT(why_not(key), HasSubstr("not the one that the key was made with"));
  key = maker.bound();
  key.policy.clear();
  EXPECT_THAT(why_not(key), HasSubstr("under a policy that the file does not have"));
  key = maker.unbound();
  key.policy = maker.bound().policy;
  EXPECT_THAT(why_not(key), HasSubstr("its TPM key has none"));
  key = maker.bound();
  key.alternatives = {maker.approved().alternatives};
  EXPECT_THAT(why_not(key), HasSubstr("not the one that the key was made with"));
}

TEST(KeyPolicy, RefusesPoliciesThatSayNothingOrTurnInCircles) {
  const TestKey maker;
  KeyFile key = maker.approved();
  const PolicyCommands good = key.alternatives[0];
  key.alternatives = {{good[1]}};
  EXPECT_THAT(why_not(key), HasSubstr("nothing of the PCRs"));
  key.alternatives = {{good[1], good[0], good[1]}};
  EXPECT_THAT(why_not(key), HasSubstr("other commands"));
  key.alternatives = {{good[0], good[1], good[0]}};
  EXPECT_THAT(why_not(key), HasSubstr("other commands"));
  key.alternatives = {{good[0], {TPM2_CC_PolicyOR, Bytes(16, 0)}}};
  EXPECT_THAT(why_not(key), HasSubstr("other commands"));
  key = maker.bound();
  key.policy[0].parameters.push_back(0);
  EXPECT_THAT(why_not(key), HasSubstr("bytes after"));
  key.policy[0].parameters = Bytes{0xff, 0xff, 1};
  EXPECT_THAT(why_not(key), HasSubstr("without its digest"));
  key.policy[0].parameters = Bytes{0, 0, 0, 0, 0, 0};  // NULL: whatever the registers hold
  EXPECT_THAT(why_not(key), HasSubstr("without the values"));
}

TEST(KeyPolicy, RefusesOtherKeys) {
  const TestKey maker;
  const auto with = [&](auto change) {
    KeyFile key = maker.unbound();
    auto area = *unmarshal<TPM2B_PUBLIC>(key.public_part, "key", Tss2_MU_TPM2B_PUBLIC_Unmarshal);
    change(area.publicArea);
    key.public_part = *marshal(area, "key", Tss2_MU_TPM2B_PUBLIC_Marshal);
    return why_not(key);
  };
  EXPECT_THAT(with([](TPMT_PUBLIC& area) { area.objectAttributes |= TPMA_OBJECT_RESTRICTED; }),
              HasSubstr("does not sign what it is given"));
  EXPECT_THAT(with([](TPMT_PUBLIC& area) { area.parameters.eccDetail.curveID = TPM2_ECC_NIST_P521; }),
              HasSubstr("neither"));
  EXPECT_THAT(with([](TPMT_PUBLIC& area) { area.objectAttributes &= ~TPMA_OBJECT_USERWITHAUTH; }),
              HasSubstr("nothing can use"));
  KeyFile key = maker.unbound();
  key.parent = TPM2_RH_NULL;
  EXPECT_THAT(why_not(key), HasSubstr("parent"));
  key = maker.unbound();
  key.empty_auth = false;
  EXPECT_THAT(why_not(key), HasSubstr("password"));
  key = maker.unbound();
  key.public_part.push_back(0);
  EXPECT_THAT(why_not(key), HasSubstr("bytes after"));
  key = maker.unbound();
  key.private_part = Bytes{0xff, 0xff};
  EXPECT_THAT(why_not(key), HasSubstr("not a private part"));
}

TEST(KeyPolicy, AnApprovalIsOfTheKeyThatMustGiveIt) {
  const TestKey maker;
  Authorization approval = maker.approval();
  EXPECT_TRUE(approved_commands(maker.authority_pem(), approval));
  EXPECT_EQ(approved_commands(TestKey().authority_pem(), approval).error().code, ErrorCode::kUntrusted);
  approval.values.begin()->second[0] ^= 1;
  EXPECT_EQ(approved_commands(maker.authority_pem(), approval).error().code, ErrorCode::kUntrusted);
}

TEST(KeyPublic, IsThePointOfTheKey) {
  const TestKey maker;
  const auto area =
      unmarshal<TPM2B_PUBLIC>(maker.unbound().public_part, "key", Tss2_MU_TPM2B_PUBLIC_Unmarshal);
  const auto key = openssl_public_key(*area);
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_EQ(EVP_PKEY_eq(key->get(), maker.key()), 1);
}

}  // namespace
}  // namespace diglim
