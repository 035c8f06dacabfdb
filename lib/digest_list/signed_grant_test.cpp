// SPDX-License-Identifier: Apache-2.0
// A trusted key grants keys that sign digest lists, and nothing else does.
#include "lib/digest_list/signed_grant.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "lib/base/file.h"
#include "lib/cms/appended_signature.h"
#include "lib/cms/cms_sign.h"
#include "lib/cms/cms_test_keys.h"
#include "lib/digest_list/compact.h"
#include "lib/digest_list/digest_list.h"
#include "lib/digest_list/signed_deny_list.h"
#include "lib/openpgp/test_writer.h"
#include "lib/rpm/test_writer.h"

namespace diglim {
namespace {

using openpgp::test::Algo;
using openpgp::test::TestKey;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr uint32_t kTime = 1600000000;
constexpr uint32_t kDsaHeader = 267;  // Ed25519 goes there too

class Granted : public testing::Test {
 protected:
  Granted() {
    for (const char* name : {"admin", "other", "stranger"}) keys_.make(name, "rsa:2048");
    keys_.run("mkdir trusted granted && cp admin.pem trusted");
  }

  TrustStore trust() const { return *TrustStore::from_folder(keys_.path("trusted"), {}); }
  Bytes sign(ByteView content, const std::string& by) const {
    return append_signature(content, *sign_cms(content, keys_.key(by), keys_.certificate_file(by)),
                            SignatureType::kPkcs7);
  }
  Bytes certificate(const std::string& name) const {
    return *read_file(keys_.certificate_file(name), 1 << 20);
  }
  Bytes grant(ByteView keys, const std::string& by = "admin") const { return sign(write_grant(keys), by); }
  void put(const std::string& name, ByteView content) const {
    EXPECT_TRUE(write_file_atomically(keys_.path("granted/" + name), content, 0644));
  }
  GrantsRead read(const TrustStore& store) const { return read_grants(keys_.path("granted"), store); }
  TrustStore trust_with_grants() const {
    TrustStore store = trust();
    const GrantsRead found = read(store);
    for (const Grant& one : found.grants) EXPECT_TRUE(store.grant(one.keys));
    return store;
  }
  Bytes deny(const std::string& fingerprint, const std::string& by = "admin") const {
    DenyEntry denial;
    denial.kind = DenyEntry::Kind::kKey;
    denial.fingerprint = fingerprint;
    denial.reason = "of a test";
    return sign(*write_deny_list({"local", 1, {denial}}), by);
  }
  static std::string fingerprint(ByteView keys) {
    return TrustStore::keys_of_file(keys)->keys.front().fingerprint;
  }

  const TestKeys keys_;
  TestKey vendor_ = TestKey::generate(Algo::kEd25519Legacy, kTime, "Vendor <v@example.org>");
  Bytes header_ = rpm::make_main_header_of({}, HashAlgo::kSha256, {"one", "two"});
  Bytes package_ = rpm::make_package(header_, {{kDsaHeader, vendor_.sign(header_)}});
  Bytes compact_ = write_compact(HashAlgo::kSha256, Bytes(64, 0x11));
};

TEST_F(Granted, WhatAGrantedKeySignedCounts) {
  put("vendor", grant(vendor_.certificate()));
  put("other", grant(certificate("other")));
  EXPECT_FALSE(verify_digest_list(package_, trust()));
  EXPECT_FALSE(verify_digest_list(sign(compact_, "other"), trust()));
  const TrustStore store = trust_with_grants();
  EXPECT_TRUE(verify_digest_list(package_, store));
  EXPECT_TRUE(verify_digest_list(sign(compact_, "other"), store));
  EXPECT_FALSE(verify_digest_list(sign(compact_, "stranger"), store));
  EXPECT_THAT(read(trust()).grants.front().signer, HasSubstr("admin"));
}

TEST_F(Granted, OnlyATrustedKeyGrants) {
  const Bytes good = grant(vendor_.certificate());
  ASSERT_TRUE(verify_grant(good, trust()));
  EXPECT_EQ(verify_grant(grant(vendor_.certificate(), "stranger"), trust()).error().code,
            ErrorCode::kUntrusted);
  EXPECT_EQ(verify_grant(write_grant(vendor_.certificate()), trust()).error().code, ErrorCode::kUntrusted);
  const size_t signed_bytes = write_grant(vendor_.certificate()).size();
  for (size_t at = 0; at < signed_bytes; at += 3) {
    Bytes bad = good;
    bad[at] ^= 1;
    EXPECT_FALSE(verify_grant(bad, trust())) << at;
  }
}

TEST_F(Granted, NoGrantedKeyGrants) {
  put("a", grant(certificate("other")));
  put("b", grant(vendor_.certificate(), "other"));
  const GrantsRead found = read(trust());
  EXPECT_EQ(found.grants.size(), 1u);
  ASSERT_EQ(found.left_out.size(), 1u);
  EXPECT_THAT(found.left_out[0].message, HasSubstr("/granted/b: granted keys: "));
  EXPECT_FALSE(verify_digest_list(package_, trust_with_grants()));
}

TEST_F(Granted, NoKindIsReadAsAnother) {
  const TrustStore store = trust();
  const Bytes one = grant(vendor_.certificate());
  EXPECT_FALSE(verify_digest_list(one, store));
  EXPECT_FALSE(verify_deny_list(one, store));
  EXPECT_FALSE(verify_grant(sign(compact_, "admin"), store));
  EXPECT_FALSE(verify_grant(deny("openpgp:" + std::string(40, 'a')), store));
  // A key that is signed says nothing yet: whoever has it signed, for whatever, need not want it to count.
  EXPECT_EQ(verify_grant(sign(vendor_.certificate(), "admin"), store).error().message,
            "offset 0: no grant of keys");
  EXPECT_FALSE(verify_grant(grant(as_bytes("no key")), store));
  EXPECT_FALSE(verify_grant(grant({}), store));
}

TEST_F(Granted, WhatIsRevokedStaysRevoked) {
  put("vendor", grant(vendor_.certificate()));
  for (const bool of_granted : {true, false}) {
    TrustStore store = trust();
    const std::string denied = fingerprint(of_granted ? vendor_.certificate() : certificate("admin"));
    // Also by a list that it signed itself.
    ASSERT_TRUE(store.deny(*verify_deny_list(deny(denied), store)));
    const GrantsRead found = read(store);
    EXPECT_EQ(found.grants.size(), of_granted ? 1u : 0u);
    for (const Grant& one : found.grants) EXPECT_TRUE(store.grant(one.keys));
    EXPECT_FALSE(verify_digest_list(package_, store)) << of_granted;
  }
  // Also if it is granted first.
  TrustStore store = trust_with_grants();
  ASSERT_TRUE(verify_digest_list(package_, store));
  ASSERT_TRUE(store.deny(*verify_deny_list(deny(fingerprint(vendor_.certificate())), trust())));
  EXPECT_FALSE(verify_digest_list(package_, store));
}

TEST_F(Granted, OneBadFileTakesNoOthersAlong) {
  put("m-good", grant(vendor_.certificate()));
  put("a-rubbish", as_bytes("rubbish"));
  put("b-huge", Bytes(kMaxGrantFileBytes + 1, 0));
  put(".hidden", as_bytes("rubbish"));
  keys_.run(
      "mkdir granted/folder && mkfifo granted/c-fifo && ln -s nowhere granted/d-dangling && ln -s d-loop "
      "granted/d-loop");
  const GrantsRead found = read(trust());
  EXPECT_EQ(found.grants.size(), 1u);
  std::string all;
  for (const Error& error : found.left_out) all += error.message + "\n";
  EXPECT_EQ(found.left_out.size(), 5u) << all;
  EXPECT_THAT(read_grants(keys_.path("nowhere"), trust()).left_out, IsEmpty());
  EXPECT_EQ(read_grants(keys_.path("granted/m-good"), trust()).left_out.size(), 1u) << "no directory";
}

TEST_F(Granted, ThereAreBounds) {
  const Bytes one = grant(vendor_.certificate());
  put("0", one);
  for (int i = 0; i < 200; ++i) put("a" + std::to_string(i), as_bytes("rubbish"));
  GrantsRead found = read(trust());
  EXPECT_EQ(found.grants.size(), 1u);
  EXPECT_EQ(found.left_out.size(), kMaxGrants);  // 63 of them, and that there are more
  EXPECT_THAT(found.left_out.back().message, HasSubstr("at most 64 files"));
  keys_.run("rm granted/*");
  // Text before a certificate is passed over, so these are three keys of half the bytes.
  for (const char* name : {"a", "b", "c"}) {
    Bytes large(kMaxGrantBytes / 2 - 4096, static_cast<uint8_t>(*name));
    large.push_back('\n');
    append(large, certificate("other"));
    put(name, grant(large));
  }
  found = read(trust());
  EXPECT_EQ(found.grants.size(), 2u);
  ASSERT_EQ(found.left_out.size(), 1u);
  EXPECT_THAT(found.left_out[0].message, HasSubstr("more than 1 MiB"));
}

TEST_F(Granted, WhatIsTrustedAnywayIsNoGrant) {
  put("admin", grant(certificate("admin")));
  put("a", grant(vendor_.certificate()));
  put("b", grant(vendor_.certificate()));
  const GrantsRead found = read(trust());
  EXPECT_EQ(found.grants.size(), 1u);
  EXPECT_THAT(found.left_out, IsEmpty());
}

TEST_F(Granted, TheKernelKeepsThem) {
  const std::vector<Grant> grants = {{"CN=a", vendor_.certificate()}, {"", certificate("other")}};
  const Bytes blob = grants_to_blob(grants);
  EXPECT_EQ(*grants_from_blob(blob), grants);
  EXPECT_THAT(*grants_from_blob({}), IsEmpty());
  for (size_t size = 1; size < blob.size(); size += 7) {
    const auto cut = grants_from_blob(ByteView(blob).first(size));
    EXPECT_TRUE(!cut || cut->size() < grants.size()) << size;
  }
}

// Whatever a grant says of a key that is trusted, it does not take what was revoked back.
TEST_F(Granted, AnotherCopyOfATrustedKeyUndoesNoRevocation) {
  openpgp::test::CertificateOptions revoked;
  revoked.revocations = {openpgp::test::Revocation{.created = kTime + 1, .reason = 2}};
  EXPECT_TRUE(write_file_atomically(keys_.path("trusted/vendor"), vendor_.certificate(revoked), 0644));
  put("vendor", grant(vendor_.certificate()));
  EXPECT_EQ(read(trust()).grants.size(), 1u);
  EXPECT_FALSE(verify_digest_list(package_, trust_with_grants()));
}

}  // namespace
}  // namespace diglim
