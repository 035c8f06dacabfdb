// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/setup/clean.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/base/file.h"

namespace diglim::setup {
namespace {

using testing::HasSubstr;

constexpr uint64_t kDay = 86400;

Look at(const std::string& boot, uint64_t seconds, uint64_t denied = 0) {
  return {"permissive", boot, seconds, denied, ""};
}
const JournalSince kQuiet = {"", 0, "c"};

CleanWatch wanted(unsigned days) {
  CleanWatch watch;
  watch.days = days;
  return watch;
}

TEST(Clean, CountsTimeThatWasWatchedOverBoots) {
  CleanWatch watch = after_look(wanted(2), at("a", kDay), kQuiet);
  EXPECT_EQ(watch.clean_seconds, kDay);  // the kernel counts denials from the start of the boot
  EXPECT_EQ(watch.boots, 1u);
  EXPECT_FALSE(is_clean(watch));
  EXPECT_EQ(describe(watch, "a"), "enforces after 1 more clean day");
  // What of a boot came after the last look counts nothing, and neither does the time between boots.
  watch = after_look(watch, at("b", kDay / 2), kQuiet);
  EXPECT_EQ(watch.clean_seconds, kDay + kDay / 2);
  watch = after_look(watch, at("b", kDay - 1), kQuiet);
  EXPECT_FALSE(is_clean(watch));
  watch = after_look(watch, at("b", kDay), kQuiet);
  EXPECT_TRUE(is_clean(watch));
  EXPECT_EQ(watch.boots, 2u);
}

TEST(Clean, ADenialBeginsAnewAndWantsABoot) {
  CleanWatch watch = after_look(wanted(1), at("a", kDay - 9), kQuiet);
  watch = after_look(watch, at("a", kDay, 3), kQuiet);
  EXPECT_EQ(watch.clean_seconds, 0u);
  EXPECT_EQ(describe(watch, "a"),
            "enforces after 1 more clean day and a clean reboot; last set back: 3 would have been denied "
            "(diglim report)");
  watch = after_look(watch, at("a", 3 * kDay, 3), kQuiet);  // the same three
  EXPECT_EQ(watch.clean_seconds, 2 * kDay);
  EXPECT_FALSE(is_clean(watch)) << "what was denied may be what every boot does";
  EXPECT_THAT(describe(watch, "a"), HasSubstr("enforces after a clean reboot;"));
  // A boot that itself has one is no clean one.
  EXPECT_FALSE(is_clean(after_look(watch, at("b", 60, 1), kQuiet)));
  EXPECT_TRUE(is_clean(after_look(watch, at("b", 60), kQuiet)));
}

// The kernel counts those that were dropped or not logged, too; the journal has what came after the last
// look of a boot that is over.
TEST(Clean, EachOfBothWitnessesIsEnough) {
  const CleanWatch watch = after_look(wanted(1), at("a", 10), kQuiet);
  EXPECT_EQ(after_look(watch, at("b", 2 * kDay), {"", 1, "d"}).clean_seconds, 0u);
  EXPECT_EQ(after_look(watch, at("a", 2 * kDay, 1), kQuiet).clean_seconds, 0u);
  EXPECT_TRUE(is_clean(after_look(watch, at("b", 2 * kDay), kQuiet)));
}

TEST(Clean, WithoutEvidenceNothingCounts) {
  const CleanWatch watch = after_look(wanted(1), at("a", 10), kQuiet);
  const CleanWatch lost = after_look(watch, at("b", 2 * kDay), {"there is no journal", 0, ""});
  EXPECT_EQ(lost.clean_seconds, 0u);
  EXPECT_EQ(lost.boots, 0u);
  EXPECT_THAT(describe(lost, "b"), HasSubstr("last set back: there is no journal"));
  const CleanWatch off = after_look(watch, std::nullopt, kQuiet);
  EXPECT_EQ(off.clean_seconds, 0u);
  EXPECT_THAT(describe(off, "b"), HasSubstr("DIGLIM was not active; not looked at in this boot yet"));
  Look silent = at("a", 2 * kDay);
  silent.fault = "the keeper is gone";
  EXPECT_EQ(after_look(watch, silent, kQuiet).clean_seconds, 0u);
}

TEST(Clean, AClockThatIsSetChangesNothing) {
  // There is no clock of the wall in it; a time since the boot that goes back is no evidence.
  const CleanWatch watch = after_look(wanted(1), at("a", kDay / 2), kQuiet);
  EXPECT_EQ(after_look(watch, at("a", kDay / 2 - 1), kQuiet).clean_seconds, 0u);
  EXPECT_EQ(
      after_look(after_look(watch, at("a", kDay / 2, 4), kQuiet), at("a", kDay, 3), kQuiet).clean_seconds,
      0u);
}

TEST(Clean, SaysThatItSwitched) {
  CleanWatch watch = after_look(wanted(1), at("a", kDay), kQuiet);
  EXPECT_THAT(describe(watch, "a"), HasSubstr("as soon as nothing speaks against it"));
  watch.switched = true;
  EXPECT_EQ(describe(watch, "a"), "enforces from the next boot on");
}

TEST(Clean, StatusIsRead) {
  const auto look = read_look(
      R"({"mode":"permissive","monitor":{"boot":"x","boot_seconds":7},"events":{"denied":2,"log_fault":"f"}})");
  ASSERT_TRUE(look) << look.error().message;
  EXPECT_EQ(look->boot, "x");
  EXPECT_EQ(look->boot_seconds, 7u);
  EXPECT_EQ(look->denied, 2u);
  EXPECT_EQ(look->fault, "f");
  for (const char* bad : {"", "{}", R"({"mode":"permissive"})",
                          R"({"mode":"permissive","monitor":{"boot":"","boot_seconds":7},)"
                          R"("events":{"denied":2,"log_fault":""}})"})
    EXPECT_FALSE(read_look(bad)) << bad;
}

TEST(Clean, IsKeptInAFile) {
  const std::string path = testing::TempDir() + "diglim_watch.json";
  (void)std::remove(path.c_str());
  EXPECT_FALSE(load_watch(path)->has_value());
  CleanWatch watch = after_look(wanted(3), at("a", 5, 1), kQuiet);
  watch.lockdown = true;
  watch.switching = true;
  ASSERT_TRUE(save_watch(path, watch));
  const auto again = load_watch(path);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ((*again)->days, 3u);
  EXPECT_TRUE((*again)->lockdown);
  EXPECT_TRUE((*again)->switching);
  EXPECT_EQ((*again)->boot_seconds, 5u);
  EXPECT_EQ((*again)->denied, 1u);
  EXPECT_EQ((*again)->cursor, "c");
  EXPECT_EQ((*again)->set_back, watch.set_back);
  for (const char* bad : {"", "{}", "[]", "{\"days\":3}", "\xff"}) {
    ASSERT_TRUE(write_file_atomically(path, as_bytes(bad), 0600));
    EXPECT_THAT(load_watch(path).error().message, HasSubstr("is damaged")) << bad;
  }
  (void)std::remove(path.c_str());
}

}  // namespace
}  // namespace diglim::setup
