// SPDX-License-Identifier: Apache-2.0
#include "policy/boot_trust.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "lib/base/file.h"
#include "lib/cms/appended_signature.h"
#include "lib/cms/cms_sign.h"
#include "lib/cms/cms_test_keys.h"
#include "lib/digest_list/compact.h"
#include "lib/digest_list/signed_grant.h"
#include "lib/openpgp/test_writer.h"
#include "lib/rpm/test_writer.h"

namespace diglim {
namespace {

using openpgp::test::Algo;
using openpgp::test::TestKey;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr uint32_t kTime = 1600000000;
constexpr uint32_t kDsaHeader = 267;  // Ed25519 goes there too

class BootTrust : public testing::Test {
 protected:
  BootTrust() {
    char name[] = "/tmp/diglim-boot-XXXXXX";
    root_ = mkdtemp(name);
    for (const char* folder : {kKeysFolder, kListsFolder})
      std::filesystem::create_directories(root_ + folder);
    put(std::string(kKeysFolder) + "/vendor.key", vendor_.certificate());
  }
  ~BootTrust() override { std::filesystem::remove_all(root_); }

  void put(const std::string& path, ByteView content) const {
    EXPECT_TRUE(write_file_atomically(root_ + path, content, 0644));
  }
  void put_list(const std::string& name, const TestKey& key) {
    put(std::string(kListsFolder) + "/" + name,
        rpm::make_package(header_, {{kDsaHeader, key.sign(header_)}}));
  }
  TrustStore trust() const { return *read_keys(root_, Config()); }

  std::string root_;
  TestKey vendor_ = TestKey::generate(Algo::kEd25519Legacy, kTime, "Vendor <v@example.org>");
  TestKey stranger_ = TestKey::generate(Algo::kEd25519Legacy, kTime, "Stranger <s@example.org>");
  Bytes header_ = rpm::make_main_header_of({}, HashAlgo::kSha256, {"one", "two"});
};

TEST_F(BootTrust, WithoutAFileTheDefaultsAndTheCommandLineCount) {
  Config config;
  ASSERT_TRUE(read_config(root_, "diglim.mode=permissive diglim.pcr=12", config));
  EXPECT_EQ(config.mode, Mode::kPermissive);
  EXPECT_EQ(config.pcr, 12);
  EXPECT_FALSE(config.measures());
}

TEST_F(BootTrust, ABadFileLocksNobodyOut) {
  put(kConfigFile, as_bytes("measure = on\ncolour = red\n"));
  Config config;
  auto result = read_config(root_, "diglim.mode=permissive", config);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("/etc/diglim/loader.conf: line 2: unknown setting"));
  EXPECT_EQ(config.mode, Mode::kPermissive);
  result = read_config(root_, "diglim.pcr=1", config);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("kernel command line: pcr"));
  EXPECT_FALSE(read_config_file(root_));
}

TEST_F(BootTrust, LeavesOutWhatDoesNotCountAndSaysWhy) {
  put_list("b", vendor_);
  put_list("a", stranger_);
  put_list(".c", vendor_);
  Generation generation(HashAlgo::kSha256);
  const auto left_out = add_lists(generation, root_ + kListsFolder, trust());
  ASSERT_TRUE(left_out) << left_out.error().message;
  ASSERT_EQ(left_out->size(), 1u);
  EXPECT_EQ(left_out->front().code, ErrorCode::kUntrusted);
  EXPECT_THAT(left_out->front().message, HasSubstr("/etc/digest_lists/a: "));
  ASSERT_EQ(generation.lists().size(), 1u);
  EXPECT_EQ(generation.lists()[0].name, "b");
  EXPECT_EQ(generation.lists()[0].digests, 2u);
  const auto none = add_lists(generation, root_ + "/none", trust());
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->empty());
}

class Follow : public BootTrust {
 protected:
  Result<Followed> follow(bool withdraw = true, const std::string& identity = "") {
    return follow_folders(generation_, {{root_ + kListsFolder}, identity, withdraw, {}}, trust());
  }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const LoadedList& list : generation_.lists()) all.emplace_back(list.name);
    std::sort(all.begin(), all.end());
    return all;
  }
  std::string path(const std::string& name) const { return root_ + kListsFolder + "/" + name; }

  Generation generation_{HashAlgo::kSha256};
};

TEST_F(Follow, WhatIsLoadedIsWhatIsThere) {
  put_list("a", vendor_);
  put_list("b", vendor_);
  auto done = follow();
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_THAT(done->added, ElementsAre("a", "b"));
  EXPECT_EQ(done->lists, 2u);
  std::filesystem::remove(path("a"));
  header_ = rpm::make_main_header_of({}, HashAlgo::kSha256, {"three"});
  put_list("b", vendor_);
  put_list("c", vendor_);
  done = follow(false);
  ASSERT_TRUE(done);
  EXPECT_THAT(done->added, ElementsAre("b", "c"));
  EXPECT_EQ(done->withdrawn, 0u);
  EXPECT_THAT(names(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(generation_.find("b")->digests, 1u);
  done = follow();
  ASSERT_TRUE(done);
  EXPECT_THAT(done->added, ElementsAre());
  EXPECT_EQ(done->withdrawn, 1u);
  EXPECT_THAT(names(), ElementsAre("b", "c"));
}

TEST_F(Follow, WhatDidNotChangeIsNotRead) {
  put_list("a", vendor_);
  ASSERT_TRUE(follow());
  // Whoever reads it finds another content; its stamp is put back by hand, since no program can.
  const uint64_t stamp = generation_.find("a")->stamp;
  EXPECT_NE(stamp, 0u);
  put(std::string(kListsFolder) + "/a", as_bytes("no list"));
  struct stat info = {};
  ASSERT_EQ(stat(path("a").c_str(), &info), 0);
  EXPECT_NE(file_stamp(info), stamp);
  generation_.set_source("a", list_origin(""), file_stamp(info));
  const auto done = follow();
  ASSERT_TRUE(done);
  EXPECT_TRUE(done->left_out.empty());
  EXPECT_TRUE(done->added.empty());
}

TEST_F(Follow, SameContentInANewFileIsNoChange) {
  put_list("a", vendor_);
  ASSERT_TRUE(follow());
  const Bytes content = *read_file(path("a"), 1 << 20);
  put(std::string(kListsFolder) + "/a", content);
  const auto done = follow();
  ASSERT_TRUE(done);
  EXPECT_EQ(done->added.size() + done->withdrawn + done->moved, 0u);
}

TEST_F(Follow, WhatIsDamagedNowKeepsWhatWasVerified) {
  put_list("a", vendor_);
  put_list("b", vendor_);
  ASSERT_TRUE(follow());
  put(std::string(kListsFolder) + "/a", as_bytes("damaged"));
  put_list("c", stranger_);
  const auto done = follow();
  ASSERT_TRUE(done);
  ASSERT_EQ(done->left_out.size(), 2u);
  EXPECT_THAT(done->left_out[0].message, HasSubstr("/etc/digest_lists/a: "));
  EXPECT_THAT(done->left_out[1].message, HasSubstr("/etc/digest_lists/c: "));
  EXPECT_THAT(names(), ElementsAre("a", "b"));
}

TEST_F(Follow, AnEmptyDirectoryLocksNobodyOut) {
  put_list("a", vendor_);
  ASSERT_TRUE(follow());
  std::filesystem::remove(path("a"));
  auto done = follow();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(names(), ElementsAre("a"));
  std::filesystem::remove(root_ + kListsFolder);
  done = follow();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(names(), ElementsAre("a"));
}

TEST_F(Follow, ListsOfAnotherRootAndThoseLoadedByNameStay) {
  put_list("a", vendor_);
  put_list("b", vendor_);
  ASSERT_TRUE(add_list(generation_, path("b"), trust()));
  std::filesystem::rename(path("b"), root_ + "/b");
  ASSERT_TRUE(follow());
  auto done = follow(true, "/mnt/image");
  ASSERT_TRUE(done);
  ASSERT_EQ(done->added.size(), 1u);
  EXPECT_THAT(done->added[0], testing::MatchesRegex("a-[0-9a-f]{16}"));
  put_list("c", vendor_);
  std::filesystem::remove(path("a"));
  ASSERT_TRUE(follow());
  EXPECT_THAT(names(), ElementsAre(done->added[0], "b", "c"));
  // All of another root's lists may go.
  std::filesystem::remove(path("c"));
  done = follow(true, "/mnt/image");
  ASSERT_TRUE(done);
  EXPECT_EQ(done->withdrawn, 1u);
  EXPECT_THAT(names(), ElementsAre("b", "c"));
}

TEST_F(Follow, AListLoadedByNameFollowsOnceItIsThere) {
  put_list("a", vendor_);
  put_list("b", vendor_);
  ASSERT_TRUE(add_list(generation_, path("a"), trust()));
  auto done = follow();
  ASSERT_TRUE(done);
  EXPECT_EQ(done->moved, 1u);
  ASSERT_TRUE(add_list(generation_, path("a"), trust()));
  EXPECT_EQ(generation_.find("a")->origin, list_origin("")) << "to load it again changes nothing";
  std::filesystem::remove(path("a"));
  done = follow();
  ASSERT_TRUE(done);
  EXPECT_EQ(done->withdrawn, 1u);
}

TEST_F(Follow, OfTwoFilesOfOneNameTheFirstCounts) {
  put_list("a", vendor_);
  std::filesystem::create_directory(root_ + "/more");
  put("/more/a", as_bytes("other"));
  const auto done =
      follow_folders(generation_, {{root_ + kListsFolder, root_ + "/more"}, "", true, {}}, trust());
  ASSERT_TRUE(done);
  ASSERT_EQ(done->left_out.size(), 1u);
  EXPECT_THAT(done->left_out[0].message, HasSubstr("/more/a: a directory before this one"));
  EXPECT_THAT(names(), ElementsAre("a"));
}

// A window says something of the key that signed all that this host has.
TEST_F(Follow, WhatADenyListLeavesStaysWhoeverReadsItFirst) {
  TestKeys keys;
  keys.make("admin", "rsa:2048");
  put(std::string(kKeysFolder) + "/admin.pem", *read_file(keys.certificate_file("admin"), 1 << 20));
  put_list("a", vendor_);
  ASSERT_TRUE(follow());
  DenyEntry denial;
  denial.kind = DenyEntry::Kind::kKey;
  const auto all = trust().trusted_keys();
  for (const TrustedKey& key : *all) {
    if (key.fingerprint.starts_with("openpgp:")) denial.fingerprint = key.fingerprint;
  }
  denial.from = 1;
  denial.to = 2;
  denial.reason = "of a test";
  const Bytes text = *write_deny_list({"local", 1, {denial}});
  std::filesystem::create_directories(root_ + kRevokedFolder);
  put(std::string(kRevokedFolder) + "/local",
      append_signature(text, *sign_cms(text, keys.key("admin"), keys.certificate_file("admin")),
                       SignatureType::kPkcs7));
  const TrustStore store = trust();
  ASSERT_EQ(store.denials().lists().size(), 1u);
  apply_denials(generation_, store);
  EXPECT_THAT(names(), ElementsAre()) << "nobody knows when it was signed, until it is read again";
  ASSERT_TRUE(follow());
  const auto left_out = apply_denials_and_keep(generation_, store, root_ + kListsFolder);
  ASSERT_TRUE(left_out) << left_out.error().message;
  EXPECT_TRUE(left_out->empty());
  EXPECT_THAT(names(), ElementsAre("a"));
  EXPECT_TRUE(apply_denials_and_keep(generation_, store, root_ + "/none")) << "an initramfs may have none";
}

// What the grant brought goes with it, and nothing else does.
TEST_F(Follow, WhatAGrantedKeySignedCountsWhileItIsGranted) {
  TestKeys keys;
  keys.make("admin", "rsa:2048");
  put(std::string(kKeysFolder) + "/admin.pem", *read_file(keys.certificate_file("admin"), 1 << 20));
  const std::string folder = root_ + kGrantedFolder;
  std::filesystem::create_directories(folder);
  put_list("a", vendor_);
  put_list("b", stranger_);
  const auto follow_all = [&] {
    TrustStore store = trust();
    auto granted = follow_grants(generation_, folder, store);
    EXPECT_TRUE(granted);
    EXPECT_TRUE(follow_folders(generation_, {{root_ + kListsFolder}, "", true, {}}, store));
    return *granted;
  };
  EXPECT_FALSE(follow_all().changed);
  EXPECT_THAT(names(), ElementsAre("a"));

  const Bytes content = write_grant(stranger_.certificate());
  const Bytes statement = append_signature(
      content, *sign_cms(content, keys.key("admin"), keys.certificate_file("admin")), SignatureType::kPkcs7);
  put(std::string(kGrantedFolder) + "/stranger", statement);
  EXPECT_TRUE(follow_all().changed);
  EXPECT_THAT(names(), ElementsAre("a", "b"));
  EXPECT_FALSE(follow_all().changed) << "it is the same";
  const auto named = manifest_grants(generation_.grants(), {});
  ASSERT_EQ(named->size(), 1u);
  EXPECT_EQ(named->front().fingerprint, "openpgp:" + to_hex(stranger_.fingerprint()));
  EXPECT_TRUE(manifest_grants(generation_.grants(), generation_.grants())->empty());
  const auto boot = boot_manifest(Config(), trust(), generation_, {Bytes(32), Bytes(32), {}});
  EXPECT_EQ(boot->boot.keys.size(), 3u) << "where measuring begins later, it names them";

  // Of another root it verified none, so nothing of it goes; what was loaded by name does.
  generation_.set_source("b", 0, 0);
  LoadedList image = *generation_.find("b");
  image.name = "image";
  image.origin = list_origin("image");
  ASSERT_TRUE(generation_.put(image, Bytes(32, 7)));
  std::filesystem::remove(folder + "/stranger");
  const GrantsFollowed gone = follow_all();
  EXPECT_TRUE(gone.changed && gone.withdrew);
  EXPECT_THAT(names(), ElementsAre("a", "image"));
  EXPECT_TRUE(generation_.grants().empty());
}

// Another certificate of the same name signed it: who only goes by names must not lose it.
TEST_F(Follow, WhatATrustedKeyOfTheSameNameSignedStays) {
  TestKeys keys;
  keys.make("admin", "rsa:2048");
  put(std::string(kKeysFolder) + "/admin.pem", *read_file(keys.certificate_file("admin"), 1 << 20));
  const auto sign = [&](ByteView content) {
    return append_signature(content, *sign_cms(content, keys.key("admin"), keys.certificate_file("admin")),
                            SignatureType::kPkcs7);
  };
  put(std::string(kListsFolder) + "/a", sign(write_compact(HashAlgo::kSha256, Bytes(32, 0x11))));
  TestKeys others;
  others.make("admin", "rsa:2048");
  const std::string folder = root_ + kGrantedFolder;
  std::filesystem::create_directories(folder);
  put(std::string(kGrantedFolder) + "/admin",
      sign(write_grant(*read_file(others.certificate_file("admin"), 1 << 20))));
  TrustStore store = trust();
  ASSERT_TRUE(follow_grants(generation_, folder, store)->changed);
  ASSERT_TRUE(follow());
  std::filesystem::remove(folder + "/admin");
  store = trust();
  EXPECT_TRUE(follow_grants(generation_, folder, store)->withdrew);
  EXPECT_THAT(names(), ElementsAre());
  ASSERT_TRUE(follow());
  EXPECT_THAT(names(), ElementsAre("a"));
}

TEST_F(BootTrust, DenyListsThatCannotBeReadStopNothing) {
  put(kRevokedFolder, as_bytes("a file"));
  std::vector<Error> left_out;
  ASSERT_TRUE(read_keys(root_, Config(), &left_out));
  ASSERT_EQ(left_out.size(), 1u);
  EXPECT_THAT(left_out[0].message, HasSubstr("/etc/diglim/revoked: deny lists: "));
}

// What the loader would measure, and the predictor foretells.
TEST_F(BootTrust, TheManifestSaysWhatIsConfigured) {
  put(kConfigFile, as_bytes("mode = enforce\nallow-signature-hash = sha1\n"));
  put_list("b", vendor_);
  Config config;
  ASSERT_TRUE(read_config(root_, "rdinit=/usr/sbin/diglim-loader -- -p\n", config));
  Generation generation(HashAlgo::kSha256);
  ASSERT_TRUE(add_lists(generation, root_ + kListsFolder, trust()));
  const Bytes policy(32, 1);
  const Bytes loader(32, 2);
  const auto manifest =
      boot_manifest(config, trust(), generation, {policy, loader, {{"x.bpf.o", Bytes(32, 3)}}});
  ASSERT_TRUE(manifest) << manifest.error().message;
  EXPECT_EQ(manifest->kind, ManifestKind::kBoot);
  EXPECT_EQ(manifest->boot.mode, ManifestMode::kPermissive);
  EXPECT_EQ(manifest->boot.algo, HashAlgo::kSha256);
  EXPECT_EQ(manifest->boot.policy_hash, policy);
  EXPECT_EQ(manifest->boot.loader_hash, loader);
  EXPECT_THAT(manifest->boot.weak_hashes, ElementsAre(HashAlgo::kSha1));
  ASSERT_EQ(manifest->boot.keys.size(), 1u);
  EXPECT_THAT(manifest->boot.keys[0].fingerprint, HasSubstr("openpgp:"));
  ASSERT_EQ(manifest->lists.size(), 1u);
  EXPECT_EQ(manifest->lists[0].name, "b");
  EXPECT_EQ(manifest->lists[0].package, "hello-2.0-1.x86_64");
  EXPECT_TRUE(write_manifest(*manifest));
}

}  // namespace
}  // namespace diglim
