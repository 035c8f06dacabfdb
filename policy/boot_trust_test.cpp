// SPDX-License-Identifier: Apache-2.0
#include "policy/boot_trust.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "lib/base/file.h"
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
