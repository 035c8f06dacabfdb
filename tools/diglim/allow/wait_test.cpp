// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/allow/wait.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace diglim::allow {
namespace {

const Clock kNow = {1'700'000'000, "boot-a", 1000};

TEST(Wait, TheFirstOfEachClock) {
  const Deadline both = first_of(
      {{1'700'000'500, "", 0}, {1'700'000'900, "boot-a", 1900}, {1'700'000'800, "boot-a", 1800}}, kNow);
  EXPECT_EQ(both.until, 1'700'000'500u);
  EXPECT_EQ(both.since_boot, 1800u);
  // The time of a boot that is over says nothing.
  EXPECT_EQ(first_of({{1'700'000'500, "boot-b", 10}}, kNow).since_boot, 0u);
  // Over since before the boot: at once, and 0 would be never.
  EXPECT_EQ(first_of({{1'700'000'500, "boot-a", 0}}, kNow).since_boot, 1u);
}

TEST(Wait, AnEndOfTheClock) {
  const auto waiter = Waiter::make();
  ASSERT_TRUE(waiter);
  const Clock before = read_clock();
  ASSERT_TRUE(waiter->wait(
      {{before.now + 1, "", 0}, {before.now + 86400, before.boot_id, before.since_boot + 86400}}));
  EXPECT_GE(read_clock().now, before.now + 1);
  // One that is over is no reason to wait, nor does the last one count for the next.
  ASSERT_TRUE(waiter->wait({{before.now, "", 0}}));
}

// As after the clock was set back.
TEST(Wait, AnEndByTheTimeSinceTheBoot) {
  const auto waiter = Waiter::make();
  ASSERT_TRUE(waiter);
  const Clock before = read_clock();
  ASSERT_TRUE(waiter->wait({{before.now + 86400, before.boot_id, before.since_boot + 1}}));
  EXPECT_GE(read_clock().since_boot, before.since_boot + 1);
}

TEST(Wait, ASignalEndsItWhileItWaitsAndNotBefore) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const Fd in(ends[0]);
  Fd out(ends[1]);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto waiter = Waiter::make();
    (void)raise(SIGTERM);
    if (waiter && write(out.get(), "x", 1) == 1) (void)waiter->wait({{read_clock().now + 86400, "", 0}});
    _exit(1);
  }
  out = Fd();
  char told = 0;
  EXPECT_EQ(read(in.get(), &told, 1), 1);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM) << status;
}

}  // namespace
}  // namespace diglim::allow
