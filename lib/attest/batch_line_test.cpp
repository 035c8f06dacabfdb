// SPDX-License-Identifier: Apache-2.0
#include "lib/attest/batch_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace diglim {
namespace {

using testing::HasSubstr;

constexpr char kGood[] = R"({"id":"web 1","nonce":"00112233445566778899","ak":"AQID","bundle":"BAUG"})";

std::string error_of(const std::string& text) {
  BatchLine line;
  const auto read = read_batch_line(text, line);
  return read ? "" : read.error().message;
}

TEST(BatchLine, Reads) {
  BatchLine line;
  ASSERT_TRUE(read_batch_line(kGood, line));
  EXPECT_EQ(line.id, "web 1");
  EXPECT_EQ(to_hex(line.nonce), "00112233445566778899");
  EXPECT_EQ(line.ak, (Bytes{1, 2, 3}));
  EXPECT_EQ(line.bundle, (Bytes{4, 5, 6}));
  line = BatchLine();
  ASSERT_TRUE(read_batch_line(R"( {"bundle":"","ak":"","nonce":"0011223344556677"} )", line));
  EXPECT_EQ(line.id, "");
}

TEST(BatchLine, RefusesAnythingElse) {
  EXPECT_THAT(error_of(""), HasSubstr("not JSON"));
  EXPECT_THAT(error_of(std::string(kGood) + "x"), HasSubstr("not JSON"));
  EXPECT_THAT(error_of(std::string(kGood) + kGood), HasSubstr("not JSON"));
  EXPECT_THAT(error_of(std::string(kGood) + '\0' + kGood), HasSubstr("not JSON"));
  EXPECT_THAT(error_of("\"text\""), HasSubstr("not an object"));
  EXPECT_THAT(error_of("[]"), HasSubstr("not an object"));
  EXPECT_THAT(error_of("7"), HasSubstr("not an object"));
  EXPECT_THAT(error_of(R"({"id":7})"), HasSubstr("'id' is not a text"));
  EXPECT_THAT(error_of(R"({"ak":[)"), HasSubstr("'ak' is not a text"));
  EXPECT_THAT(error_of(R"({"ak":{)"), HasSubstr("object in the object"));
  EXPECT_THAT(error_of(R"({"policy":"x"})"), HasSubstr("unknown key 'policy'"));
  EXPECT_THAT(error_of(R"({"ak":"AQID","ak":"AQID"})"), HasSubstr("'ak' twice"));
  EXPECT_THAT(error_of("{}"), HasSubstr("'nonce' is missing"));
  EXPECT_THAT(error_of(R"({"nonce":"0011"})"), HasSubstr("16 to 128"));
  EXPECT_THAT(error_of(R"({"nonce":"0011223344556677"})"), HasSubstr("'ak' is missing"));
  EXPECT_THAT(error_of(R"({"nonce":"0011223344556677","ak":"AQID"})"), HasSubstr("'bundle' is missing"));
  EXPECT_THAT(error_of(R"({"nonce":"0011223344556677","ak":"AQID","bundle":"*"})"), HasSubstr("'bundle'"));
  EXPECT_THAT(error_of(R"({"id":""})"), HasSubstr("'id'"));
  EXPECT_THAT(error_of(R"({"id":")" + std::string(257, 'x') + "\"}"), HasSubstr("'id'"));
  EXPECT_THAT(error_of(std::string(kMaxBatchLineBytes + 1, ' ')), HasSubstr("16 MiB"));
  EXPECT_THAT(error_of(std::string(kMaxBatchLineBytes, '[')), HasSubstr("not an object"));
}

TEST(BatchLine, KeepsTheIdOfABadLine) {
  BatchLine line;
  EXPECT_FALSE(read_batch_line(R"({"id":"web1","bundle":7})", line));
  EXPECT_EQ(line.id, "web1");
}

}  // namespace
}  // namespace diglim
