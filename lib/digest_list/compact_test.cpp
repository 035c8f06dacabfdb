// SPDX-License-Identifier: Apache-2.0
#include "lib/digest_list/compact.h"

#include <gtest/gtest.h>

namespace diglim {
namespace {

class CompactTest : public testing::Test {
 protected:
  void SetUp() override { list_ = write_compact(HashAlgo::kSha256, Bytes(64, 0xab)); }
  void set(size_t at, uint8_t value) { list_.at(at) = value; }
  void add_block(HashAlgo algo, ByteView digests) { append(list_, write_compact(algo, digests)); }
  void expect(ErrorCode code, const std::string& message) {
    const auto result = read_compact(list_);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, code);
    EXPECT_EQ(result.error().message, message);
  }

  Bytes list_;
};

TEST_F(CompactTest, IsTheLayoutOf2022) {
  EXPECT_EQ(to_hex(list_),
            "01"
            "00"
            "0100"
            "0000"
            "0400"
            "02000000"
            "40000000" +
                to_hex(Bytes(64, 0xab)));
}

TEST_F(CompactTest, ReadsBlocksOfSeveralAlgorithms) {
  add_block(HashAlgo::kSha512, Bytes(64, 1));
  add_block(HashAlgo::kSha256, Bytes(32, 2));
  add_block(HashAlgo::kSha1, {});
  const auto list = read_compact(list_);
  ASSERT_TRUE(list);
  ASSERT_EQ(list->digests.size(), 2u) << "an algorithm without digests has no entry";
  EXPECT_EQ(list->digests.at(HashAlgo::kSha512), Bytes(64, 1));
  EXPECT_EQ(to_hex(list->digests.at(HashAlgo::kSha256)), to_hex(Bytes(64, 0xab)) + to_hex(Bytes(32, 2)));
}

TEST_F(CompactTest, AcceptsTheImmutableModifier) {
  list_ = write_compact(HashAlgo::kSha256, Bytes(32), kCompactImmutable);
  EXPECT_TRUE(read_compact(list_));
}

TEST_F(CompactTest, RefusesEveryTruncation) {
  const Bytes whole = list_;
  for (size_t size = 0; size < whole.size(); ++size) {
    list_ = Bytes(whole.begin(), whole.begin() + static_cast<ssize_t>(size));
    const auto result = read_compact(list_);
    ASSERT_FALSE(result) << size;
    EXPECT_EQ(result.error().code, ErrorCode::kCorrupt) << size;
  }
}

TEST_F(CompactTest, RefusesTrailingBytes) {
  list_.push_back(1);
  expect(ErrorCode::kCorrupt, "offset 81: 1 bytes wanted, 0 left");
}

TEST_F(CompactTest, RefusesFieldsOutOfRange) {
  set(0, 2);
  expect(ErrorCode::kCorrupt, "offset 0: version 2 of a compact list block");
  SetUp(), set(1, 1);
  expect(ErrorCode::kCorrupt, "offset 1: reserved byte is not zero");
  SetUp(), set(2, 4);
  expect(ErrorCode::kCorrupt, "offset 2: unknown type 4");
  SetUp(), set(4, 3);
  expect(ErrorCode::kCorrupt, "offset 4: unknown modifiers 3");
  SetUp(), set(5, 1);
  expect(ErrorCode::kCorrupt, "offset 4: unknown modifiers 256");
}

TEST_F(CompactTest, RefusesWhatNothingHereNeeds) {
  for (const uint8_t type : Bytes{0, 2, 3}) {
    set(2, type);
    expect(ErrorCode::kUnsupported,
           "offset 2: a list of type " + std::to_string(type) + ", not of file digests");
  }
  SetUp(), set(6, 8);
  expect(ErrorCode::kUnsupported, "offset 6: unknown digest algorithm 8");
}

TEST_F(CompactTest, RefusesACountThatContradictsTheSize) {
  set(8, 1);
  expect(ErrorCode::kCorrupt, "offset 12: 64 bytes of data for 1 digests of 32");
  // 0x08000002 * 32 is 64 in 32 bits: the multiplication must not wrap.
  SetUp(), set(11, 8);
  expect(ErrorCode::kCorrupt, "offset 12: 64 bytes of data for 134217730 digests of 32");
}

TEST_F(CompactTest, NamesTheOffsetOfALaterBlock) {
  add_block(HashAlgo::kSha256, Bytes(32));
  set(80, 7);
  expect(ErrorCode::kCorrupt, "offset 80: version 7 of a compact list block");
}

}  // namespace
}  // namespace diglim
