// SPDX-License-Identifier: Apache-2.0
// What is revoked counts no more, and only whom the host trusts revokes.
#include "lib/digest_list/signed_deny_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/base/file.h"
#include "lib/cms/appended_signature.h"
#include "lib/cms/cms_sign.h"
#include "lib/cms/cms_test_keys.h"
#include "lib/digest_list/compact.h"
#include "lib/digest_list/digest_list.h"
#include "lib/openpgp/test_writer.h"
#include "lib/rpm/test_writer.h"

namespace diglim {
namespace {

using openpgp::test::Algo;
using openpgp::test::SignOptions;
using openpgp::test::TestKey;
using testing::HasSubstr;

constexpr uint32_t kTime = 1600000000;
constexpr uint32_t kDsaHeader = 267;  // Ed25519 goes there too

class DenySigned : public testing::Test {
 protected:
  DenySigned() {
    for (const char* name : {"admin", "other", "stranger"}) keys_.make(name, "rsa:2048");
    keys_.run("mkdir trusted revoked && cp admin.pem other.pem trusted");
    EXPECT_TRUE(write_file_atomically(keys_.path("trusted/vendor.key"), vendor_.certificate(), 0644));
  }

  TrustStore trust() const { return *TrustStore::from_folder(keys_.path("trusted"), {}); }
  Bytes sign(ByteView content, const std::string& by) const {
    return append_signature(content, *sign_cms(content, keys_.key(by), keys_.certificate_file(by)),
                            SignatureType::kPkcs7);
  }
  Bytes deny(const std::string& name, uint64_t serial, std::vector<DenyEntry> denials,
             const std::string& by = "admin") const {
    for (DenyEntry& one : denials) one.reason = "of a test";
    return sign(*write_deny_list({name, serial, std::move(denials)}), by);
  }
  void put(const std::string& name, ByteView content) const {
    EXPECT_TRUE(write_file_atomically(keys_.path("revoked/" + name), content, 0644));
  }
  DenyListsRead read(TrustStore& trust) const { return *read_deny_lists(keys_.path("revoked"), trust); }

  static DenyEntry of_digest(ByteView digest) {
    DenyEntry denial;
    denial.digest = to_bytes(digest);
    return denial;
  }
  static DenyEntry of_package(const std::string& name, const std::string& below) {
    DenyEntry denial;
    denial.kind = DenyEntry::Kind::kPackage;
    denial.package = name;
    denial.below = below;
    return denial;
  }
  DenyEntry of_key(const std::string& file, uint64_t from = 0, uint64_t to = 0) const {
    DenyEntry denial;
    denial.kind = DenyEntry::Kind::kKey;
    const auto content = read_file(keys_.path("trusted/" + file), 1 << 20);
    const Bytes file_hash = *hash(HashAlgo::kSha256, {*content});
    const auto all = trust().trusted_keys();
    for (const TrustedKey& key : *all) {
      if (key.file_hash == file_hash) denial.fingerprint = key.fingerprint;
    }
    denial.from = from;
    denial.to = to;
    return denial;
  }

  const TestKeys keys_;
  TestKey vendor_ = TestKey::generate(Algo::kEd25519Legacy, kTime, "Vendor <v@example.org>");
  Bytes header_ = rpm::make_main_header_of({}, HashAlgo::kSha256, {"one", "two"});
  Bytes package_ = rpm::make_package(header_, {{kDsaHeader, vendor_.sign(header_)}});
  Bytes compact_ = write_compact(HashAlgo::kSha256, Bytes(64, 0x11));
};

TEST_F(DenySigned, OnlyATrustedKeyRevokes) {
  const TrustStore store = trust();
  const Bytes good = deny("local", 3, {of_digest(Bytes(32, 1))});
  const auto list = verify_deny_list(good, store);
  ASSERT_TRUE(list) << list.error().message;
  EXPECT_EQ(list->list.serial, 3u);
  EXPECT_THAT(list->signer, HasSubstr("admin"));
  EXPECT_EQ(verify_deny_list(deny("local", 3, {}, "stranger"), store).error().code, ErrorCode::kUntrusted);
  for (size_t at = 0; at < list->content.size(); at += 7) {
    Bytes bad = good;
    bad[at] ^= 1;
    EXPECT_FALSE(verify_deny_list(bad, store)) << at;
  }
}

TEST_F(DenySigned, NeitherKindIsReadAsTheOther) {
  const TrustStore store = trust();
  EXPECT_FALSE(verify_deny_list(sign(compact_, "admin"), store));
  EXPECT_FALSE(verify_digest_list(deny("local", 1, {of_digest(Bytes(32, 1))}), store));
}

TEST_F(DenySigned, ARevokedDigestIsOnNoList) {
  TrustStore store = trust();
  Bytes digests(32, 0x11);
  append(digests, Bytes(32, 0x22));
  const Bytes file = sign(write_compact(HashAlgo::kSha256, digests), "admin");
  put("a", deny("local", 1, {of_digest(Bytes(32, 0x11))}));
  EXPECT_EQ(verify_digest_list(file, store)->count(), 2u);
  EXPECT_TRUE(read(store).changed);
  const auto list = verify_digest_list(file, store);
  ASSERT_TRUE(list);
  EXPECT_EQ(list->digests.at(HashAlgo::kSha256), Bytes(32, 0x22));
  EXPECT_EQ(list->revoked, 1u);
  EXPECT_EQ(verify_digest_list(package_, store)->count(), 2u);
  EXPECT_FALSE(read(store).changed) << "it is in force already";
}

TEST_F(DenySigned, APackageBelowAVersionDoesNotCount) {
  TrustStore store = trust();
  const std::string nevra = verify_digest_list(package_, store)->name;
  const std::string name = nevra.substr(0, nevra.find('-'));
  put("a", deny("other", 1, {of_package("no-" + name, "99:1-1")}));
  EXPECT_TRUE(read(store).changed);
  EXPECT_TRUE(verify_digest_list(package_, store));
  put("b", deny("local", 1, {of_package(name, "99:1-1")}));
  EXPECT_TRUE(read(store).changed);
  const auto result = verify_digest_list(package_, store);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kUntrusted);
  EXPECT_THAT(result.error().message,
              HasSubstr("revoked since 1970-01-01, because of a test (packages " + name));
}

TEST_F(DenySigned, ARevokedKeySignsNothing) {
  TrustStore store = trust();
  put("a", deny("local", 1, {of_key("vendor.key"), of_key("other.pem")}));
  EXPECT_TRUE(verify_digest_list(sign(compact_, "other"), store));
  EXPECT_TRUE(read(store).left_out.empty());
  EXPECT_THAT(verify_digest_list(package_, store).error().message, HasSubstr("a deny list revokes the key"));
  EXPECT_THAT(verify_digest_list(sign(compact_, "other"), store).error().message,
              HasSubstr("CN=other: a deny list revokes the key"));
  EXPECT_TRUE(verify_digest_list(sign(compact_, "admin"), store));
  EXPECT_EQ(store.unusable().size(), 2u);
  EXPECT_EQ(store.denied_signers().size(), 2u);
}

TEST_F(DenySigned, OfAWindowOnlyWhatWasSignedInItGoes) {
  const auto counts = [&](uint32_t made, uint64_t from, uint64_t to) {
    TrustStore store = trust();
    SignOptions options;
    options.created = made;
    const Bytes package = rpm::make_package(header_, {{kDsaHeader, vendor_.sign(header_, options)}});
    EXPECT_TRUE(verify_digest_list(package, store));
    put("a", deny("local", 1, {of_key("vendor.key", from, to)}));
    (void)read(store);
    return verify_digest_list(package, store).has_value();
  };
  EXPECT_TRUE(counts(kTime + 10, kTime + 11, kTime + 20));
  EXPECT_FALSE(counts(kTime + 11, kTime + 11, kTime + 20));
  EXPECT_FALSE(counts(kTime + 19, kTime + 11, kTime + 20));
  EXPECT_TRUE(counts(kTime + 20, kTime + 11, kTime + 20));
}

TEST_F(DenySigned, ARevokedKeyTakesNothingBack) {
  TrustStore store = trust();
  // The names of the files would have the thief come first.
  put("z", deny("local", 1, {of_key("other.pem"), of_digest(Bytes(32, 1))}));
  put("a", deny("local", 2, {}, "other"));
  const auto done = read(store);
  ASSERT_EQ(done.left_out.size(), 1u);
  EXPECT_THAT(done.left_out[0].message, HasSubstr("revoked/a: deny list: "));
  EXPECT_NE(store.denials().of_digest(HashAlgo::kSha256, Bytes(32, 1)), nullptr);
}

TEST_F(DenySigned, WhatIsWrongIsLeftOutAndTheRestCounts) {
  TrustStore store = trust();
  put("a", deny("local", 2, {of_digest(Bytes(32, 1))}));
  put("b", as_bytes("nonsense"));
  put("c", deny("foreign", 9, {of_digest(Bytes(32, 2))}, "stranger"));
  put(".d", deny("hidden", 9, {of_digest(Bytes(32, 3))}));
  keys_.run("mkdir revoked/folder");
  EXPECT_EQ(read(store).left_out.size(), 2u);
  EXPECT_EQ(store.denials().lists().size(), 1u);
  // Rolled back: what is in force stays.
  put("a", deny("local", 1, {}));
  const auto again = read(store);
  EXPECT_FALSE(again.changed);
  EXPECT_EQ(again.left_out.size(), 2u);
  ASSERT_EQ(again.superseded.size(), 1u);
  EXPECT_THAT(again.superseded[0],
              HasSubstr("revoked/a: serial 1 of the deny list local, of which serial 2 is in force"));
  TrustStore other = trust();
  const auto none = read_deny_lists(keys_.path("nowhere"), other);
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->changed);
}

TEST_F(DenySigned, WhatIsInForceIsNotReadAgain) {
  TrustStore store = trust();
  const Bytes file = deny("vendor", 3, {of_digest(Bytes(32, 1))}, "other");
  put("a", file);
  put("copy", file);
  put("saved", deny("vendor", 2, {}, "other"));
  EXPECT_TRUE(read(store).changed);
  put("b", deny("local", 9, {of_key("other.pem")}));
  const auto done = read(store);
  EXPECT_TRUE(done.changed);
  EXPECT_TRUE(done.left_out.empty()) << done.left_out.front().message;
  const auto again = read(store);
  EXPECT_FALSE(again.changed);
  // Who signed the older one counts no more, so nobody knows what it is.
  ASSERT_EQ(again.left_out.size(), 1u);
  EXPECT_THAT(again.left_out[0].message, HasSubstr("revoked/saved: "));
  EXPECT_EQ(store.denials().lists().size(), 2u);
}

TEST_F(DenySigned, AFolderThatIsNoneIsNamedAndStopsNothing) {
  TrustStore store = trust();
  put("a", as_bytes("a file"));
  const auto done = read_deny_lists(keys_.path("revoked/a"), store);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_FALSE(done->changed);
  ASSERT_EQ(done->left_out.size(), 1u);
  EXPECT_THAT(done->left_out[0].message, HasSubstr("revoked/a: deny lists: "));
}

}  // namespace
}  // namespace diglim
