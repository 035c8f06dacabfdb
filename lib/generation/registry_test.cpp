// SPDX-License-Identifier: Apache-2.0
#include "lib/generation/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/generation/generation.h"

namespace diglim {
namespace {

using testing::HasSubstr;

// A registry of one list whose members are these bytes, said to be `count`.
Bytes registry(uint32_t count, ByteView members) {
  RegistryWriter writer;
  writer.add({"a", Bytes(32, 1), "p", "s", 0, 7}, {});
  Bytes bytes = std::move(writer).take();
  bytes.resize(bytes.size() - 4);
  put_u32_le(bytes, count);
  append(bytes, members);
  return bytes;
}

Result<std::vector<uint32_t>> read(ByteView bytes, uint64_t end) {
  LoadedList list;
  std::vector<uint32_t> places;
  RegistryReader reader(bytes, 1000);
  TRY(reader.next(end, list, places));
  return places;
}

void expect_corrupt(const Result<std::vector<uint32_t>>& result, const std::string& message) {
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(result.error().message, HasSubstr(message));
}

TEST(Registry, GivesBackWhatWasWritten) {
  const std::vector<uint32_t> steps[] = {
      {}, {0}, {0, 0, 1}, {127, 128, 255, 383}, {5, 16389, 16389 + 16384}, {UINT32_MAX - 1, UINT32_MAX}};
  RegistryWriter writer;
  for (const auto& places : steps) writer.add({"name", Bytes(32, 1), "package", "signer", 0, 7}, places);
  const Bytes bytes = std::move(writer).take();
  RegistryReader reader(bytes, 0);
  for (const auto& expected : steps) {
    LoadedList list;
    std::vector<uint32_t> places;
    ASSERT_TRUE(reader.next(uint64_t{1} << 32, list, places));
    EXPECT_EQ(places, expected);
    EXPECT_EQ(list.name, "name");
    EXPECT_EQ(list.package, "package");
    EXPECT_EQ(list.signer, "signer");
    EXPECT_EQ(list.digests, expected.size());
    EXPECT_EQ(list.left_out, 7u);
  }
  LoadedList list;
  std::vector<uint32_t> places;
  EXPECT_FALSE(reader.next(1, list, places)) << "there is no more";
}

TEST(Registry, TakesAByteForANearStepAndTwoForAFarOne) {
  EXPECT_EQ(registry(1, Bytes{0x7f}).size() + 1, registry(1, Bytes{0x80, 0x01}).size());
  EXPECT_EQ(*read(registry(3, Bytes{0x7f, 0x80, 0x01, 0x00}), 256), (std::vector<uint32_t>{127, 255, 255}));
}

TEST(Registry, RefusesEveryTruncation) {
  const Bytes whole = registry(3, Bytes{0x81, 0x01, 0xff, 0x7f, 0x05});
  ASSERT_TRUE(read(whole, 1u << 16));
  for (size_t size = 0; size < whole.size(); ++size) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<ssize_t>(size));  // ASan sees its end
    EXPECT_FALSE(read(cut, 1u << 16)) << size;
  }
  expect_corrupt(read(registry(1, Bytes{0x80}), 10), "a member without an end");
  expect_corrupt(read(registry(2, Bytes{0x05}), 10), "more members than bytes");
  expect_corrupt(read(registry(UINT32_MAX, Bytes{0x05}), 10), "more members than bytes");
}

TEST(Registry, RefusesPlacesOutsideTheTable) {
  EXPECT_TRUE(read(registry(2, Bytes{4, 5}), 10));
  expect_corrupt(read(registry(2, Bytes{4, 6}), 10), "a member outside the table");
  expect_corrupt(read(registry(1, Bytes{0}), 0), "a member outside the table");
  expect_corrupt(read(registry(1, Bytes{0xff, 0xff, 0xff, 0xff, 0x7f}), uint64_t{1} << 32),
                 "outside the table");
  // Sums that would wrap in 32 bits.
  expect_corrupt(read(registry(2, Bytes{0xff, 0xff, 0xff, 0xff, 0x0f, 0x01}), uint64_t{1} << 32),
                 "outside the table");
}

TEST(Registry, RefusesASecondSpellingOfAStep) {
  expect_corrupt(read(registry(1, Bytes{0x85, 0x00}), 10), "longer than it has to be");
  expect_corrupt(read(registry(1, Bytes{0x81, 0x80, 0x80, 0x80, 0x80, 0x00}), 10), "without an end");
}

}  // namespace
}  // namespace diglim
