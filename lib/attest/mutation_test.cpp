// SPDX-License-Identifier: Apache-2.0
// Goal: nothing that whoever carries a bundle can change makes it say something else and be trusted.
// Expected: no changed byte is trusted, no mixture of two good bundles; what is trusted although it was
// changed says the same.
#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <tss2/tss2_tpm2_types.h>

#include <algorithm>

#include "lib/attest/test_attester.h"
#include "lib/attest/verify.h"
#include "lib/crypto/openssl.h"

namespace diglim {
namespace {

class Mutation : public testing::Test {
 protected:
  Mutation() : policy_(machine_.policy()), ak_(machine_.ak()) {
    Manifest add;
    add.kind = ManifestKind::kAdd;
    add.lists = {{Bytes(32, 0x06), "bash-2", "bash-5.2-2.x86_64", "CN=Distribution"}};
    machine_.updates = {add};
    NewImaEvent file;
    file.template_name = "ima-sig";
    file.digest = Bytes(32, 0xdd);
    file.path = "/tolerated";
    machine_.files = {file};
    policy_.tolerated_files = {file.digest};
  }

  Verdict verify(const Bytes& file) { return verify_attestation({file, ak_, machine_.nonce}, policy_); }
  Verdict verify(const Bundle& bundle) { return verify(*write_bundle(bundle)); }
  // All that a verdict says of a machine.
  static std::string said(const Verdict& verdict) {
    std::string text = std::to_string(verdict.events) + " " + std::to_string(verdict.lists.size()) + " " +
                       std::to_string(verdict.quote.clock_ms) + " " + to_hex(verdict.boot.loader_hash);
    for (const UnknownFile& file : verdict.unknown)
      text += " " + file.path + " " + to_hex(file.digest) + (file.tolerated ? " tolerated" : "");
    return text;
  }

  TestAttester machine_;
  VerifierPolicy policy_;
  Bytes ak_;
};

TEST_F(Mutation, NoChangedByteIsTrusted) {
  const Bytes good = *write_bundle(machine_.bundle());
  ASSERT_TRUE(verify(good).trusted());
  const auto refused = [&](const Bytes& changed, size_t at, const char* how) {
    EXPECT_TRUE(changed == good || !verify(changed).trusted()) << how << " at " << at;
  };
  for (size_t at = 0; at < good.size(); ++at) {
    const auto here = static_cast<ptrdiff_t>(at);
    Bytes changed = good;
    for (const int bits : {0x01, 0x02, 0x80, 0xff}) {
      changed[at] = static_cast<uint8_t>(good[at] ^ bits);
      refused(changed, at, "a byte changed");
    }
    changed = good;
    changed.erase(changed.begin() + here);
    refused(changed, at, "a byte less");
    changed = good;
    changed.insert(changed.begin() + here, good[at]);
    refused(changed, at, "a byte twice");
    changed.assign(good.begin(), good.begin() + here);
    refused(changed, at, "cut");
  }
}

TEST_F(Mutation, NoMixtureOfTwoIsTrusted) {
  const Bundle one = machine_.bundle();
  machine_.updates[0].lists[0].name = "bash-3";
  machine_.quoted.push_back(12);
  const Bundle other = machine_.bundle();
  ASSERT_TRUE(verify(one).trusted());
  ASSERT_TRUE(verify(other).trusted());
  for (unsigned of_other = 1; of_other < 31; ++of_other) {
    Bundle mixed = one;
    if (of_other & 1) mixed.attest = other.attest;
    if (of_other & 2) mixed.signature = other.signature;
    if (of_other & 4) mixed.pcrs = other.pcrs;
    if (of_other & 8) mixed.ima_log = other.ima_log;
    if (of_other & 16) mixed.manifests = other.manifests;
    EXPECT_FALSE(verify(mixed).trusted()) << of_other;
  }
}

// The same signature, the same log, written otherwise.
TEST_F(Mutation, WhatIsWrittenOtherwiseSaysTheSame) {
  const Bundle good = machine_.bundle();
  const std::string same = said(verify(good));
  const auto says_the_same = [&](const Bundle& changed, const char* how) {
    EXPECT_NE(changed, good) << how;
    const Verdict verdict = verify(changed);
    EXPECT_TRUE(verdict.trusted()) << how;
    EXPECT_EQ(said(verdict), same) << how;
  };
  Bundle changed = good;
  std::swap(changed.manifests[0], changed.manifests[1]);
  says_the_same(changed, "manifests in another order");

  // TPMT_SIGNATURE of ECDSA: algorithm, hash, then r and s with their sizes.
  constexpr size_t kR = 4, kNumber = 2 + 32;
  const auto s = good.signature.begin() + kR + kNumber;
  changed.manifests = good.manifests;
  changed.signature.insert(changed.signature.begin() + kR + 2, {0, 0});
  changed.signature[kR + 1] = 32 + 2;
  says_the_same(changed, "leading zeros");
  const Owned<EC_GROUP, EC_GROUP_free> group(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
  const BignumPtr number(BN_bin2bn(&s[2], 32, nullptr));
  ASSERT_EQ(BN_sub(number.get(), EC_GROUP_get0_order(group.get()), number.get()), 1);
  changed.signature = good.signature;
  ASSERT_EQ(BN_bn2binpad(number.get(), &changed.signature[kR + kNumber + 2], 32), 32);
  says_the_same(changed, "the other s");

  changed.signature = good.signature;
  std::string log(as_text(good.ima_log));
  const std::string sig = "ima-sig", buf = "ima-buf";
  log.replace(log.rfind(sig), sig.size(), buf);
  changed.ima_log = to_bytes(as_bytes(log));
  says_the_same(changed, "a template of the same fields");
}

TEST_F(Mutation, NumbersThatAreNoSignature) {
  const Bundle good = machine_.bundle();
  constexpr size_t kR = 6, kS = kR + 32 + 2;
  for (const size_t at : {kR, kS}) {
    Bundle changed = good;
    for (const int byte : {0x00, 0xff}) {
      std::fill_n(changed.signature.begin() + static_cast<ptrdiff_t>(at), 32, static_cast<uint8_t>(byte));
      EXPECT_FALSE(verify(changed).trusted()) << at << " " << byte;
    }
  }
  for (const uint16_t algorithm :
       {TPM2_ALG_NULL, TPM2_ALG_HMAC, TPM2_ALG_ECDAA, TPM2_ALG_ECSCHNORR, TPM2_ALG_SM2}) {
    Bundle changed = good;
    changed.signature[0] = static_cast<uint8_t>(algorithm >> 8);
    changed.signature[1] = static_cast<uint8_t>(algorithm);
    EXPECT_FALSE(verify(changed).trusted()) << algorithm;
    changed.signature.resize(2);
    EXPECT_FALSE(verify(changed).trusted()) << algorithm;
  }
}

}  // namespace
}  // namespace diglim
