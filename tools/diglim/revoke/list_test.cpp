// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/revoke/list.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace diglim::revoke {
namespace {

const std::string kHex = std::string(62, '1') + "ab";

DenyEntry package(const std::string& name, const std::string& below) {
  DenyEntry denial;
  denial.kind = DenyEntry::Kind::kPackage;
  denial.package = name;
  denial.below = below;
  denial.reason = "test";
  return denial;
}

DenyEntry key(const std::string& fingerprint) {
  DenyEntry denial;
  denial.kind = DenyEntry::Kind::kKey;
  denial.fingerprint = fingerprint;
  denial.reason = "test";
  return denial;
}

TEST(RevokeList, EachNextOneHasAHigherSerial) {
  auto list = next_list({"local", 0, {}}, 0, {package("a", "1")});
  ASSERT_TRUE(list);
  EXPECT_EQ(list->serial, 1u);
  list = next_list(*list, 7, {package("b", "1")});
  ASSERT_TRUE(list);
  EXPECT_EQ(list->serial, 8u) << "the kernel has a higher one than the file";
  EXPECT_EQ(list->denials.size(), 2u);
  list = next_list(*list, 0, {package("a", "2")});
  ASSERT_TRUE(list);
  EXPECT_EQ(list->serial, 9u);
  ASSERT_EQ(list->denials.size(), 2u) << "of one package there is one";
  EXPECT_EQ(list->denials[1].below, "2");
  list = list_without(*list, 0, {"a"});
  ASSERT_TRUE(list);
  EXPECT_EQ(list->serial, 10u);
  EXPECT_EQ(list->denials.size(), 1u);
  EXPECT_EQ(list_without(*list, 0, {"a"}).error().code, ErrorCode::kNotFound);
}

TEST(RevokeList, AnOlderFileIsNoBase) {
  EXPECT_FALSE(check_newest({"local", 6, {}}, 7));
  EXPECT_TRUE(check_newest({"local", 7, {}}, 7));
  EXPECT_TRUE(check_newest({"local", 8, {}}, 7)) << "the kernel has not followed yet";
  EXPECT_TRUE(check_newest({"local", 1, {}}, 0));
}

TEST(RevokeList, NothingButAStatusSaysWhatIsInForce) {
  const std::string status =
      R"({"deny_lists": [{"name": "vendor", "serial": 2}, {"name": "local", "serial": 7}]})";
  EXPECT_EQ(*serial_of_status(status, "local"), 7u);
  EXPECT_EQ(*serial_of_status(status, "other"), 0u);
  EXPECT_EQ(*serial_of_status(R"({"deny_lists": []})", "local"), 0u);
  for (const char* text :
       {"", "[]", "{", "{}", R"({"deny_lists": 1})", R"({"deny_lists": [{"name": "local"}]})",
        R"({"deny_lists": [{"name": "local", "serial": "7"}]})"})
    EXPECT_FALSE(serial_of_status(text, "local")) << text;
}

TEST(RevokeList, WhatIsInForceWithoutAFile) {
  const std::string status =
      R"({"deny_lists": [{"name": "vendor", "serial": 2}, {"name": "local", "serial": 7}]})";
  const auto left = [&](const std::vector<SignedDenyList>& files) {
    std::string names;
    for (const InForce& one : without_file(*lists_of_status(status), files))
      names += fmt::format("{}:{} ", one.name, one.serial);
    return names;
  };
  EXPECT_EQ(left({}), "vendor:2 local:7 ");
  EXPECT_EQ(left({{{"local", 7, {}}, {}, {}, ""}}), "vendor:2 ");
  EXPECT_EQ(left({{{"local", 6, {}}, {}, {}, ""}, {{"vendor", 3, {}}, {}, {}, ""}}), "local:7 ")
      << "an older one";
}

TEST(RevokeList, TakesDigestsAsPeopleHaveThem) {
  const auto denial = denial_of_digest("SHA256:" + kHex);
  ASSERT_TRUE(denial) << denial.error().message;
  EXPECT_EQ(denial->digest.back(), 0xab);
  EXPECT_TRUE(denial_of_digest(kHex));
  EXPECT_FALSE(denial_of_digest("sha1:" + kHex));
  EXPECT_FALSE(denial_of_digest(kHex + "ab"));
  EXPECT_FALSE(denial_of_digest("hello"));
  EXPECT_TRUE(is_named(*denial, kHex));
  EXPECT_TRUE(is_named(*denial, "sha256:" + kHex));
  EXPECT_FALSE(is_named(*denial, "ab"));
  EXPECT_TRUE(is_named(key("openpgp:" + std::string(40, 'a')), std::string(40, 'A')));
  EXPECT_FALSE(is_named(key("openpgp:" + std::string(40, 'a')), std::string(16, 'a')));
}

}  // namespace
}  // namespace diglim::revoke
