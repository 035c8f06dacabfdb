// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/allow/when.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace diglim::allow {
namespace {

const Clock kNow = {1'700'000'000, "boot-a", 1000};

TEST(When, Durations) {
  EXPECT_EQ(*parse_duration("8h"), 8u * 3600);
  EXPECT_EQ(*parse_duration("90m"), 90u * 60);
  EXPECT_EQ(*parse_duration("1d12h"), 36u * 3600);
  EXPECT_EQ(*parse_duration("2w"), 14u * 86400);
  EXPECT_EQ(*parse_duration("45"), 45u);
  for (const char* bad : {"", "h", "8x", "-1h", "0", "0h", "8 h", "99999999999999999999", "5000000000h",
                          "1h\x1b", "101w99999d"})
    EXPECT_FALSE(parse_duration(bad)) << bad;
}

TEST(When, Dates) {
  setenv("TZ", "UTC", 1);
  tzset();
  EXPECT_EQ(*parse_date("2030-01-02 03:04", kNow), 1893553440u);
  EXPECT_EQ(*parse_date("2030-01-02 03:04:05", kNow), 1893553445u);
  EXPECT_EQ(*parse_date("2030-01-02", kNow), 1893628799u);  // that day counts
  for (const char* bad :
       {"", "tomorrow", "2030-02-30", "2030-13-01", "2030-01-02 25:00", "2030-01-02x", "2020-01-01"})
    EXPECT_FALSE(parse_date(bad, kNow)) << bad;
  EXPECT_NE(parse_date("2020-01-01", kNow).error().message.find("is over"), std::string::npos);
}

TEST(When, Since) {
  setenv("TZ", "UTC", 1);
  tzset();
  EXPECT_EQ(*parse_since("7d", kNow), kNow.now - 7 * 86400);
  EXPECT_EQ(*parse_since("today", kNow), kNow.now / 86400 * 86400);
  EXPECT_EQ(*parse_since("yesterday", kNow), kNow.now / 86400 * 86400 - 86400);
  EXPECT_EQ(*parse_since("2020-01-01", kNow), 1577836800u);
  EXPECT_NE(parse_since("Tuesday", kNow).error().message.find("today, yesterday, or how long ago"),
            std::string::npos);
}

TEST(When, AnExceptionEnds) {
  const End end = end_after(3600, kNow);
  EXPECT_FALSE(is_over(end, kNow));
  EXPECT_FALSE(is_over(end, {kNow.now + 3599, "boot-a", 4599}));
  EXPECT_TRUE(is_over(end, {kNow.now + 3600, "boot-a", 4600}));
  EXPECT_TRUE(is_over(end, {kNow.now + 9999, "boot-b", 10}));
  EXPECT_FALSE(is_over({}, kNow));  // never
}

TEST(When, ClockSteps) {
  const End end = end_after(3600, kNow);
  // Set back: the machine's own time goes on.
  EXPECT_FALSE(is_over(end, {kNow.now - 86400, "boot-a", 2000}));
  EXPECT_TRUE(is_over(end, {kNow.now - 86400, "boot-a", 4600}));
  // After a reboot only the clock is left.
  EXPECT_FALSE(is_over(end, {kNow.now - 86400, "boot-b", 9999}));
  // Of a date only the clock counts.
  EXPECT_FALSE(is_over({kNow.now + 10, "", 0}, {kNow.now, "boot-a", 99999}));
  // A clock that jumps ahead ends it: nothing is denied for ever by that, it can be allowed again.
  EXPECT_TRUE(is_over(end, {kNow.now + 999999, "boot-a", 1001}));
}

}  // namespace
}  // namespace diglim::allow
