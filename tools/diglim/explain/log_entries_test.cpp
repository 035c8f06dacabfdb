// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tools/diglim/explain/log.h"

namespace diglim::explain {
namespace {

const std::string kDenial = "denied exec /p: not on any digest list; pid 1 uid 1000 command x";

// journald takes "diglim: " away: the next one is a path's, and hides nothing.
TEST(LogEntries, AMessageOfTheJournalBeginsWithTheDenial) {
  Log log;
  add_message(log, "denied exec /home/u/diglim: /x: not on any digest list; pid 1 uid 1000 command sh", 5);
  add_message(log, "generation 2: diglim: " + kDenial, 6);
  ASSERT_EQ(log.denials.size(), 1u);
  EXPECT_EQ(log.denials.front().denial.path, "/home/u/diglim: /x");
  EXPECT_EQ(log.denials.front().time_us, 5u);
  EXPECT_TRUE(log.not_understood.empty());
}

TEST(LogEntries, OnlyTheLoadersRecordsOfTheKernelsBufferCount) {
  Log log;
  add_record(log, "11,1234,5000000,-;diglim: " + kDenial + "\n SUBSYSTEM=x\n", 7);
  ASSERT_EQ(log.denials.size(), 1u);
  EXPECT_EQ(log.denials.front().time_us, 5000007u);
  // The kernel's own lines, with what a user gave it, and another's.
  add_record(log, "3,1235,5000000,-;diglim: " + kDenial + "\n", 7);
  add_record(log, "3,1236,5000000,-;tmpfs: Unknown parameter 'diglim: " + kDenial + "\n", 7);
  add_record(log, "11,1237,5000000,-;other: diglim: " + kDenial + "\n", 7);
  add_record(log, "11,1238,5000000,-;" + kDenial + "\n", 7);
  for (const char* broken : {"", "11", "11,", "11,1,", "11,1,5,-", ";"}) add_record(log, broken, 7);
  EXPECT_EQ(log.denials.size(), 1u);
  EXPECT_TRUE(log.not_understood.empty());
}

TEST(LogEntries, WhatTheKernelQuotesInASavedLogIsNotBelievedAndNotHidden) {
  Log log;
  add_line(log, "[    1.0] diglim: " + kDenial);
  add_line(log, kDenial);
  EXPECT_EQ(log.denials.size(), 2u);
  add_line(log, "[    1.0] tmpfs: Unknown parameter 'diglim: " + kDenial);
  add_line(log, "    diglim: " + kDenial);  // the second line of some message
  EXPECT_EQ(log.denials.size(), 2u);
  EXPECT_EQ(log.not_understood.size(), 2u);
}

TEST(LogEntries, WhatIsMissingIsSaidSinceThen) {
  Log log;
  EXPECT_FALSE(complain_of_missing("test", log, 0));
  add_message(log, "denied exec /cut-of", 10'000'000);
  add_message(log, "12 denials not logged: too many at once", 20'000'000);
  add_message(log, "3 events were lost: the ring buffer was full", 20'000'000);
  add_message(log, "3 digest lists with 5 digests", 20'000'000);
  ASSERT_EQ(log.not_understood.size(), 1u);
  ASSERT_EQ(log.not_logged.size(), 2u);
  testing::internal::CaptureStderr();
  EXPECT_TRUE(complain_of_missing("test", log, 15));
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "test: 15 more denials have no line in : too many at once\n");
  EXPECT_FALSE(complain_of_missing("test", log, 21));
  log.not_logged.clear();
  testing::internal::CaptureStderr();
  EXPECT_TRUE(complain_of_missing("test", log, 10));
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "test: 1 denials in  are cut, of another version, or not DIGLIM's: left out\n");
  EXPECT_FALSE(complain_of_missing("test", log, 11));
  add_message(log, kDenial, 20'000'000);
  log.full = true;
  EXPECT_TRUE(complain_of_missing("test", log, 20));
  EXPECT_FALSE(complain_of_missing("test", log, 21));
}

TEST(LogEntries, AnEventIsFoundByItsId) {
  Log log;
  add_message(log, "denied exec /x: not on any digest list; pid 1 uid 0 event 3f2a91bc-7 command sh", 0);
  add_message(log, "denied exec /y: not on any digest list; pid 1 uid 0 event 3f2a91bc-8 lost 2 command sh",
              0);
  add_message(log, "denied exec /z: not on any digest list; pid 1 uid 0 command event 3f2a91bc-9", 0);
  const LoggedDenial* found = find_event(log, "3f2a91bc-8");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->denial.path, "/y");
  EXPECT_EQ(found->denial.lost, 2u);
  EXPECT_EQ(find_event(log, "3f2a91bc-9"), nullptr) << "a command that looks like it";
  EXPECT_EQ(find_event(log, ""), nullptr);
}

}  // namespace
}  // namespace diglim::explain
