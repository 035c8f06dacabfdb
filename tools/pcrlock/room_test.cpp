// SPDX-License-Identifier: Apache-2.0
#include "tools/pcrlock/room.h"

#include <gmock/gmock.h>

namespace diglim::pcrlock {
namespace {

using testing::HasSubstr;

constexpr unsigned kOwn = 8;
constexpr unsigned kPhases = 11;

std::vector<Image> images(size_t count) {
  std::vector<Image> all;
  for (size_t i = 0; i < count; ++i) all.push_back({"/efi/" + std::to_string(i), "", "", 4, 3});
  return all;
}

// How many states of each are told, as "PHASES/LISTS".
std::string told(const std::vector<Image>& all) {
  std::string text;
  for (const Image& image : all)
    text += " " + std::to_string(image.phases) + "/" + std::to_string(image.lists);
  return text;
}

std::vector<std::string> values(size_t count) {
  return std::vector<std::string>(count, "ff");
}

TEST(PcrlockRoom, EightValuesAreTaken) {
  EXPECT_EQ(too_many({{7, values(1)}, {kOwn, values(8)}, {kPhases, values(8)}}, kOwn), std::nullopt);
  EXPECT_EQ(too_many({{kPhases, values(9)}}, kOwn), kPhases);
  EXPECT_EQ(too_many({}, kOwn), std::nullopt);
}

TEST(PcrlockRoom, OursComesLast) {
  EXPECT_EQ(too_many({{kOwn, values(9)}, {kPhases, values(9)}}, kOwn), kPhases);
  EXPECT_EQ(too_many({{kOwn, values(9)}, {kPhases, values(8)}}, kOwn), kOwn);
}

TEST(PcrlockRoom, WhatOpensLateGoesFirstThenOtherVolumesThenImages) {
  auto all = images(2);
  EXPECT_THAT(
      leave_out(all, kPhases, kOwn).value_or(""),
      HasSubstr(
          "from /efi/1 what opens after sysinit.target does not open by itself: systemd-pcrlock takes 8 "
          "values of PCR 11"));
  EXPECT_EQ(told(all), " 4/3 2/3");
  EXPECT_THAT(leave_out(all, kPhases, kOwn).value_or(""),
              HasSubstr("from /efi/0 what opens after sysinit.target"));
  EXPECT_EQ(told(all), " 2/3 2/3");
  EXPECT_THAT(leave_out(all, kPhases, kOwn).value_or(""),
              HasSubstr("from /efi/1 only the root opens by itself"));
  EXPECT_EQ(told(all), " 2/3 1/3");
  // From the most important one all volumes open.
  EXPECT_THAT(leave_out(all, kPhases, kOwn).value_or(""),
              HasSubstr("left out: /efi/1: systemd-pcrlock takes 8"));
  EXPECT_EQ(told(all), " 2/3");
}

TEST(PcrlockRoom, OfListsNoneIsLate) {
  auto all = images(3);
  EXPECT_THAT(leave_out(all, kOwn, kOwn).value_or(""),
              HasSubstr("from /efi/2 only the root opens by itself"));
  EXPECT_EQ(told(all), " 4/3 4/3 4/1");
  EXPECT_TRUE(leave_out(all, kOwn, kOwn));
  EXPECT_EQ(told(all), " 4/3 4/1 4/1");
  EXPECT_TRUE(leave_out(all, kOwn, kOwn));
  EXPECT_EQ(told(all), " 4/3 4/1");
}

TEST(PcrlockRoom, TheLastImageStays) {
  auto all = images(1);
  EXPECT_FALSE(leave_out(all, kOwn, kOwn));
  EXPECT_TRUE(leave_out(all, kPhases, kOwn));
  EXPECT_FALSE(leave_out(all, kPhases, kOwn));
  EXPECT_EQ(told(all), " 2/3");
  std::vector<Image> none;
  EXPECT_FALSE(leave_out(none, kPhases, kOwn));
}

}  // namespace
}  // namespace diglim::pcrlock
