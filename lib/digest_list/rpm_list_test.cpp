// SPDX-License-Identifier: Apache-2.0
#include "lib/digest_list/rpm_list.h"

#include <gtest/gtest.h>

#include "lib/cms/appended_signature.h"
#include "lib/rpm/test_writer.h"

namespace diglim {
namespace {

class RpmListTest : public testing::Test {
 protected:
  void expect_error(ErrorCode code) {
    const auto list = make_rpm_list(region_, packets_);
    ASSERT_FALSE(list);
    EXPECT_EQ(list.error().code, code);
  }

  const Bytes header_ = rpm::make_main_header_of({}, HashAlgo::kSha256, {"one", "two"});
  Bytes region_ = Bytes(header_.begin() + 8, header_.end());
  const Bytes first_ = Bytes(20, 0x88);
  const Bytes second_ = Bytes(30, 0xc2);
  std::vector<Bytes> packets_ = {first_};
};

TEST_F(RpmListTest, IsMagicRegionPacketsAndBlock) {
  packets_ = {first_, second_, first_};
  const auto list = make_rpm_list(region_, packets_);
  ASSERT_TRUE(list) << list.error().message;
  const auto parts = split_appended_signature(*list);
  ASSERT_TRUE(parts);
  EXPECT_EQ(to_bytes(parts->content), header_);
  EXPECT_EQ(to_hex(parts->signature), to_hex(first_) + to_hex(second_))
      << "a repeated packet is written once";
  EXPECT_EQ(parts->type, SignatureType::kPgp);
}

TEST_F(RpmListTest, RefusesWhatIsNotSigned) {
  packets_.clear();
  expect_error(ErrorCode::kUntrusted);
}

TEST_F(RpmListTest, RefusesEveryTruncatedRegion) {
  while (!region_.empty()) {
    region_.pop_back();
    expect_error(ErrorCode::kCorrupt);
  }
}

TEST_F(RpmListTest, RefusesWhatIsNoSignaturePacket) {
  for (const Bytes& value : {Bytes{}, Bytes{0x88}, Bytes(20, 0x99), Bytes(20, 0x08), Bytes(20, 0xc6)}) {
    packets_ = {first_, value};
    expect_error(ErrorCode::kCorrupt);
  }
}

TEST(RpmListName, IsTheNameOf2022) {
  EXPECT_EQ(*rpm_list_name("bash-5.1.8-6.el9.x86_64"), "0-file_list-rpm-bash-5.1.8-6.el9.x86_64");
  EXPECT_EQ(*rpm_list_name("..-1-1.noarch"), "0-file_list-rpm-..-1-1.noarch") << "harmless behind the prefix";
}

TEST(RpmListName, ChangesWhatAFolderCannotHold) {
  const auto slash = rpm_list_name("../../etc/passwd-1-1.noarch");
  const auto newline = rpm_list_name("..\n..\netc\npasswd-1-1.noarch");
  EXPECT_EQ(slash->substr(0, slash->size() - 16), "0-file_list-rpm-.._.._etc_passwd-1-1.noarch-");
  EXPECT_EQ(slash->substr(0, slash->size() - 16), newline->substr(0, newline->size() - 16));
  EXPECT_NE(*slash, *newline);
}

TEST(RpmListName, CutsLongNamesWithoutMakingTwoEqual) {
  const auto one = rpm_list_name(std::string(300, 'a') + "1");
  const auto two = rpm_list_name(std::string(300, 'a') + "2");
  EXPECT_EQ(one->size(), 248u);
  EXPECT_NE(*one, *two);
  EXPECT_EQ(rpm_list_name(std::string(232, 'a'))->size(), 248u) << "fits as it is";
}

}  // namespace
}  // namespace diglim
