// SPDX-License-Identifier: Apache-2.0
#include "lib/cms/appended_signature.h"

#include <gtest/gtest.h>

namespace diglim {
namespace {

class AppendedSignatureTest : public testing::Test {
 protected:
  static constexpr size_t kContent = 7;
  static constexpr size_t kSignature = 3;
  static constexpr size_t kBlock = kContent + kSignature;

  void SetUp() override {
    file_ = append_signature(as_bytes("content"), as_bytes("sig"), SignatureType::kPkcs7);
  }
  void set(size_t at, uint8_t value) { file_[at] = value; }
  void truncate(size_t count) { file_.resize(file_.size() - count); }
  void drop_from_start(size_t count) {
    file_.erase(file_.begin(), file_.begin() + static_cast<ssize_t>(count));
  }
  void set_size(uint32_t size) {
    Bytes field;
    put_u32_be(field, size);
    std::copy(field.begin(), field.end(), file_.begin() + kBlock + 8);
  }
  void expect(ErrorCode code, const std::string& message) {
    const auto result = split_appended_signature(file_);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, code);
    EXPECT_EQ(result.error().message, message);
  }

  Bytes file_;
};

TEST_F(AppendedSignatureTest, IsTheKernelsLayout) {
  EXPECT_EQ(to_hex(file_),
            "636f6e74656e74"
            "736967"
            "0000020000000000"
            "00000003"
            "7e4d6f64756c65207369676e617475726520617070656e6465647e0a");
}

TEST_F(AppendedSignatureTest, RoundTrip) {
  const auto result = split_appended_signature(file_);
  ASSERT_TRUE(result);
  EXPECT_EQ(as_text(result->content), "content");
  EXPECT_EQ(as_text(result->signature), "sig");
  EXPECT_EQ(result->type, SignatureType::kPkcs7);
  EXPECT_EQ(result->signature_offset, kContent);
}

TEST_F(AppendedSignatureTest, EmptyContentIsTheParsersMatter) {
  drop_from_start(kContent);
  const auto result = split_appended_signature(file_);
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->content.empty());
}

TEST_F(AppendedSignatureTest, WithoutMarkerItIsUnsigned) {
  truncate(1);
  EXPECT_FALSE(has_appended_signature(file_));
  expect(ErrorCode::kUntrusted, "no appended signature");
  file_.clear();
  expect(ErrorCode::kUntrusted, "no appended signature");
}

TEST_F(AppendedSignatureTest, RefusesAMarkerAlone) {
  drop_from_start(kBlock + 1);
  expect(ErrorCode::kCorrupt, "offset 0: no room for the block before the signature marker");
}

TEST_F(AppendedSignatureTest, RefusesReservedBytes) {
  for (size_t at : {0, 1, 3, 4, 5, 6, 7}) {
    SetUp();
    set(kBlock + at, 1);
    const auto result = split_appended_signature(file_);
    ASSERT_FALSE(result) << at;
    EXPECT_EQ(result.error().code, ErrorCode::kCorrupt);
  }
}

TEST_F(AppendedSignatureTest, RefusesUnknownType) {
  set(kBlock + 2, 3);
  expect(ErrorCode::kCorrupt, "offset 12: unknown signature type 3");
}

TEST_F(AppendedSignatureTest, RefusesSizesThatTheFileCannotHold) {
  set_size(0);
  expect(ErrorCode::kCorrupt, "offset 18: empty signature");
  set_size(kBlock);
  EXPECT_TRUE(split_appended_signature(file_));
  set_size(kBlock + 1);
  expect(ErrorCode::kCorrupt, "offset 18: signature of 11 bytes, but only 10 before the block");
  set_size(UINT32_MAX);
  expect(ErrorCode::kCorrupt, "offset 18: signature of 4294967295 bytes, but only 10 before the block");
}

}  // namespace
}  // namespace diglim
