// SPDX-License-Identifier: Apache-2.0
#include "lib/tpm/sealed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace diglim {
namespace {

using testing::HasSubstr;

SealedObject sealed_to_values() {
  SealedObject object;
  object.policy.selection = {HashAlgo::kSha256, {7, 10}};
  object.policy.values = {{7, Bytes(32, 0x07)}, {10, Bytes(32, 0x0a)}};
  object.public_part = Bytes{1, 2, 3};
  object.private_part = Bytes{0, 255};
  return object;
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  const size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what << " in " << text;
  return at == std::string::npos ? text : text.replace(at, what.size(), by);
}

TEST(Sealed, WhatWasWrittenIsRead) {
  const SealedObject object = sealed_to_values();
  const auto read = read_sealed(write_sealed(object));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->policy.selection.pcrs, object.policy.selection.pcrs);
  EXPECT_EQ(read->policy.values, object.policy.values);
  EXPECT_EQ(read->policy.authorize_key, "");
  EXPECT_EQ(read->public_part, object.public_part);
  EXPECT_EQ(read->private_part, object.private_part);
}

// With a key the values of the day are nobody's business: they change.
TEST(Sealed, UnderAKeyNoValuesAreKept) {
  SealedObject object = sealed_to_values();
  object.policy.authorize_key = "PEM";
  const std::string text = write_sealed(object);
  EXPECT_THAT(text, testing::Not(HasSubstr("value")));
  const auto read = read_sealed(text);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->policy.authorize_key, "PEM");
  EXPECT_TRUE(read->policy.values.empty());
  EXPECT_EQ(read->policy.selection.pcrs, object.policy.selection.pcrs);
}

TEST(Sealed, AnAuthorizationToo) {
  const Authorization authorization = {{HashAlgo::kSha1, {0}}, {{0, Bytes(20, 1)}}, Bytes{9}};
  const auto read = read_authorization(write_authorization(authorization));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->selection.bank, HashAlgo::kSha1);
  EXPECT_EQ(read->values, authorization.values);
  EXPECT_EQ(read->signature, authorization.signature);
}

TEST(Sealed, OneIsNotTakenForTheOther) {
  EXPECT_THAT(read_authorization(write_sealed(sealed_to_values())).error().message,
              HasSubstr("diglim-authorization"));
  EXPECT_THAT(read_sealed("[]").error().message, HasSubstr("diglim-sealed"));
  EXPECT_FALSE(read_sealed(""));
  EXPECT_FALSE(read_sealed("{"));
}

TEST(Sealed, AnotherVersionIsUnsupported) {
  const auto read =
      read_sealed(replaced(write_sealed(sealed_to_values()), "\"diglim-sealed\": 1", "\"diglim-sealed\": 2"));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::kUnsupported);
}

TEST(Sealed, RegistersThatAreNoneAreRefused) {
  const std::string good = write_sealed(sealed_to_values());
  for (const auto& [what, by] :
       std::vector<std::pair<std::string, std::string>>{{"\"pcr\": 10", "\"pcr\": 24"},
                                                        {"\"pcr\": 10", "\"pcr\": 7"},
                                                        {"\"pcr\": 10", "\"pcr\": 3"},
                                                        {"\"pcr\": 10", "\"pcr\": -1"},
                                                        {"\"pcr\": 10", "\"pcr\": \"10\""},
                                                        {"\"pcr\": 10", "\"pcr\": 4294967303"},
                                                        {"\"pcr\": 10", "\"nothing\": 10"},
                                                        {"\"value\": \"0707", "\"value\": \"07"},
                                                        {"\"value\": \"0707", "\"value\": \"zz07"},
                                                        {"\"value\": \"0707", "\"other\": \"0707"},
                                                        {"\"sha256\"", "\"sha257\""},
                                                        {"\"public\": \"AQID\"", "\"public\": \"*\""},
                                                        {"\"public\"", "\"publik\""},
                                                        {"\"private\": \"AP8=\"", "\"private\": 1"}}) {
    EXPECT_FALSE(read_sealed(replaced(good, what, by))) << what << " -> " << by;
  }
  EXPECT_FALSE(
      read_sealed(R"({"diglim-sealed": 1, "bank": "sha256", "pcrs": [], "public": "", "private": ""})"));
  EXPECT_FALSE(
      read_sealed(R"({"diglim-sealed": 1, "bank": "sha256", "pcrs": [7], "public": "", "private": ""})"));
  EXPECT_FALSE(read_sealed(
      R"({"diglim-sealed": 1, "bank": "sha256", "pcrs": [{"pcr": 7}], "public": "", "private": "", "authorize_key": ""})"));
}

}  // namespace
}  // namespace diglim
