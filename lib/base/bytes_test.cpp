// SPDX-License-Identifier: Apache-2.0
#include "lib/base/bytes.h"

#include <gtest/gtest.h>

namespace diglim {
namespace {

TEST(ByteReader, ReadsBothByteOrders) {
  const Bytes data = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};
  ByteReader reader(data);
  EXPECT_EQ(*reader.u8(), 1);
  EXPECT_EQ(*reader.u16_be(), 0x0203);
  EXPECT_EQ(*reader.u16_le(), 0x0504);
  EXPECT_EQ(*reader.u32_be(), 0x06070809u);
  EXPECT_EQ(*reader.u32_le(), 0x0d0c0b0au);
  EXPECT_TRUE(reader.empty());
}

TEST(ByteReader, RefusesToPassTheEndAndNamesTheFileOffset) {
  const Bytes data = {1, 2, 3};
  ByteReader reader(data, 100);
  EXPECT_EQ(*reader.u8(), 1);
  const auto result = reader.u32_be();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(result.error().message, "offset 101: 4 bytes wanted, 2 left");
  EXPECT_EQ(reader.remaining(), 2u) << "a failed read must not move";
}

TEST(ByteReader, SubReaderKeepsFileOffsets) {
  const Bytes data = {1, 2, 3, 4, 5};
  ByteReader reader(data, 10);
  ASSERT_TRUE(reader.skip(2));
  auto part = reader.sub(2);
  ASSERT_TRUE(part);
  EXPECT_EQ(part->offset(), 12u);
  EXPECT_EQ(reader.offset(), 14u);
  EXPECT_FALSE(part->skip(3));
}

TEST(ByteReader, HugeCountDoesNotWrap) {
  const Bytes data = {1};
  ByteReader reader(data);
  ASSERT_TRUE(reader.skip(1));
  EXPECT_FALSE(reader.bytes(SIZE_MAX));
}

TEST(Hex, RoundTrip) {
  const Bytes data = {0x00, 0x7f, 0xff};
  EXPECT_EQ(to_hex(data), "007fff");
  EXPECT_EQ(*from_hex("007FfF"), data);
  EXPECT_FALSE(from_hex("0"));
  EXPECT_FALSE(from_hex("0g"));
  EXPECT_TRUE(from_hex("")->empty());
}

TEST(Hex, AppendsAndKnowsEveryDigit) {
  Bytes out = {1};
  EXPECT_TRUE(append_hex(out, "007FfF"));
  EXPECT_EQ(to_hex(out), "01007fff");
  EXPECT_FALSE(append_hex(out, "0"));
  const std::string_view digits = "0123456789abcdefABCDEF";
  for (int c = 0; c < 256; ++c) {
    const std::string high = {static_cast<char>(c), '0'};
    const std::string low = {'0', static_cast<char>(c)};
    const bool is_digit = digits.find(static_cast<char>(c)) != std::string_view::npos;
    EXPECT_EQ(append_hex(out, high), is_digit) << c;
    EXPECT_EQ(append_hex(out, low), is_digit) << c;
  }
}

TEST(Put, WritesFixedWidths) {
  Bytes out;
  put_u16_be(out, 0x0102);
  put_u32_be(out, 0x03040506);
  put_u16_le(out, 0x0807);
  put_u32_le(out, 0x0c0b0a09);
  put_u64_le(out, 0x14131211100f0e0dULL);
  for (size_t i = 0; i < out.size(); ++i) EXPECT_EQ(out[i], i + 1);
}

}  // namespace
}  // namespace diglim
