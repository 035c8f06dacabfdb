// SPDX-License-Identifier: Apache-2.0
#include "loader/log_limit.h"

#include <gtest/gtest.h>

namespace diglim {
namespace {

uint64_t allowed_of(LogLimit& limit, uint64_t now_ms, uint64_t asked) {
  uint64_t count = 0;
  for (uint64_t i = 0; i < asked; ++i) count += limit.allow(now_ms) ? 1 : 0;
  return count;
}

TEST(LogLimit, LetsABurstThroughThenNoMore) {
  LogLimit limit;
  EXPECT_EQ(allowed_of(limit, 5000, 10'000), LogLimit::kBurst);
  EXPECT_EQ(allowed_of(limit, 5000, 10'000), 0u);
}

TEST(LogLimit, RefillsWithTime) {
  LogLimit limit;
  (void)allowed_of(limit, 5000, 10'000);
  EXPECT_EQ(allowed_of(limit, 5049, 10'000), 0u);
  EXPECT_EQ(allowed_of(limit, 5050, 10'000), 1u);
  EXPECT_EQ(allowed_of(limit, 7050, 10'000), 2 * LogLimit::kPerSecond);
}

TEST(LogLimit, KeepsFractionsOfATokenAndNeverHasMoreThanABurst) {
  LogLimit limit;
  (void)allowed_of(limit, 5000, 10'000);
  uint64_t count = 0;
  for (uint64_t now = 5001; now <= 6000; ++now) count += allowed_of(limit, now, 5);
  EXPECT_EQ(count, LogLimit::kPerSecond);
  EXPECT_EQ(allowed_of(limit, 1'000'000, 10'000), LogLimit::kBurst);
}

TEST(LogLimit, SurvivesAClockThatStandsStill) {
  LogLimit limit;
  EXPECT_EQ(allowed_of(limit, 0, 10'000), LogLimit::kBurst);
  EXPECT_EQ(allowed_of(limit, 0, 1), 0u);
}

}  // namespace
}  // namespace diglim
