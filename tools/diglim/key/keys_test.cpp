// SPDX-License-Identifier: Apache-2.0
// Goal: a key is shown as it is, and what hangs on it is known before it goes.
#include "tools/diglim/key/keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "lib/base/file.h"
#include "lib/crypto/hash.h"
#include "lib/openpgp/test_writer.h"
#include "lib/rpm/test_writer.h"

namespace diglim::key {
namespace {

using openpgp::test::Algo;
using openpgp::test::TestKey;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr uint32_t kTime = 1600000000;
constexpr uint32_t kDsaHeader = 267;  // Ed25519 goes there too

class Keys : public testing::Test {
 protected:
  Keys() {
    char name[] = "/tmp/diglim-key-XXXXXX";
    root_ = mkdtemp(name);
    for (const char* folder : {"/both", "/one", "/lists"})
      std::filesystem::create_directories(root_ + folder);
    put("/both/vendor.key", vendor_.certificate());
    put("/one/vendor.key", vendor_.certificate());
    put("/both/other.key", other_.certificate());
  }
  ~Keys() override { std::filesystem::remove_all(root_); }
  void put(const std::string& path, ByteView content) const {
    EXPECT_TRUE(write_file_atomically(root_ + path, content, 0644));
  }
  // A list of files with these contents.
  void put_list(const std::string& name, const TestKey& key, const std::vector<std::string>& contents) const {
    const Bytes header = rpm::make_main_header_of({}, HashAlgo::kSha256, contents);
    put("/lists/" + name, rpm::make_package(header, {{kDsaHeader, key.sign(header)}}));
  }
  Result<Loss> lost(const std::vector<std::pair<Bytes, std::string>>& vital) const {
    return what_is_lost(root_ + "/lists", *TrustStore::from_folder(root_ + "/both", {}),
                        *TrustStore::from_folder(root_ + "/one", {}), vital, [](std::string_view) {});
  }
  static Bytes digest_of(const std::string& content) { return *hash(HashAlgo::kSha256, {as_bytes(content)}); }

  std::string root_;
  TestKey vendor_ = TestKey::generate(Algo::kEd25519Legacy, kTime, "Vendor <v@example.org>");
  TestKey other_ = TestKey::generate(Algo::kEd25519Legacy, kTime, "Other <o@example.org>");
};

TEST_F(Keys, OneIsShownAsItIs) {
  const auto keys = read_keys(vendor_.certificate());
  ASSERT_TRUE(keys) << keys.error().message;
  ASSERT_EQ(keys->size(), 1u);
  EXPECT_EQ(keys->front().kind, "openpgp");
  EXPECT_EQ(keys->front().who, "Vendor <v@example.org>");
  EXPECT_EQ(keys->front().fingerprint.size(), 40u);
  EXPECT_EQ(keys->front().created, kTime);
  EXPECT_EQ(keys->front().expires, 0u);
  EXPECT_EQ(keys->front().unusable, "");
  const auto none = read_keys(as_bytes("a README"));
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("not a key"));
}

TEST_F(Keys, WhatOnlyOneKeySignedIsLostWithIt) {
  put_list("a", vendor_, {"init"});
  put_list("b", other_, {"tool", "init"});
  put_list(".c", other_, {"tool"});
  put("/lists/d", as_bytes("damaged"));
  const auto loss = lost({{digest_of("init"), "/sbin/init"}});
  ASSERT_TRUE(loss) << loss.error().message;
  EXPECT_THAT(loss->lists, ElementsAre("b"));
  EXPECT_TRUE(loss->boots) << "another list has it";
}

TEST_F(Keys, WithoutWhatIsVitalNoMachineComesUp) {
  put_list("a", vendor_, {"tool"});
  put_list("b", other_, {"init"});
  const auto loss = lost({{digest_of("never listed"), "/bin/other"}, {digest_of("init"), "/sbin/init"}});
  ASSERT_TRUE(loss);
  EXPECT_FALSE(loss->boots);
  EXPECT_EQ(loss->first_vital, "/sbin/init");
}

}  // namespace
}  // namespace diglim::key
