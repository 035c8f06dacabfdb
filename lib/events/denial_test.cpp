// SPDX-License-Identifier: Apache-2.0
// That each line of event_line() is read back as it was is tested beside it (event_line_test.cpp).
#include "lib/events/denial.h"

#include <gtest/gtest.h>

#include <set>

#include "lib/events/reasons.h"

namespace diglim {
namespace {

constexpr int kFreeReason = 2;

const std::string kDigest(64, 'a');

TEST(Denial, FromTheKernelLog) {
  for (const char* prefix :
       {"", "diglim: ", "[   12.345678] diglim: ", "[Fri Nov  6 12:00:00 2026] diglim: ",
        "Nov  6 12:00:00 host diglim: ", "Nov 26 12:00:00 host kernel: diglim: ",
        "Nov 26 12:00:00 host kernel: [   12.345678] diglim: ", "2026-11-26T12:00:00+00:00 host diglim: "}) {
    const auto denial =
        parse_denial(prefix + ("denied exec /usr/bin/x: not on any digest list; sha256:" + kDigest) +
                     "; pid 12 uid 1000 command sh\n");
    ASSERT_TRUE(denial) << prefix;
    EXPECT_TRUE(denial->enforced);
    EXPECT_EQ(denial->what, "exec");
    EXPECT_EQ(denial->path, "/usr/bin/x");
    EXPECT_EQ(denial->reason, DIGLIM_REASON_UNKNOWN);
    EXPECT_EQ(to_hex(denial->digest), kDigest);
    EXPECT_EQ(denial->pid, 12u);
    EXPECT_EQ(denial->uid, 1000u);
    EXPECT_EQ(denial->command, "sh");
  }
}

TEST(Denial, WhatAPathSaysIsNoReason) {
  const auto denial = parse_denial(
      "denied exec /t/x: it is open for writing; pid 1 uid 0 command y: not on any digest list; pid 12 uid 5 "
      "command sh");
  ASSERT_TRUE(denial);
  EXPECT_EQ(denial->reason, DIGLIM_REASON_UNKNOWN);
  EXPECT_EQ(denial->path, "/t/x: it is open for writing; pid 1 uid 0 command y");
  EXPECT_EQ(denial->pid, 12u);
  const auto command =
      parse_denial("denied exec /t/x: not on any digest list; pid 12 uid 5 command ; pid 1 uid 0");
  ASSERT_TRUE(command);
  EXPECT_EQ(command->pid, 12u);
  EXPECT_EQ(command->command, "; pid 1 uid 0");
}

// Lines in which the kernel quotes what a user gave it: an option of a mount, the name of a program.
TEST(Denial, WhatTheKernelQuotesIsNone) {
  const std::string forged = "diglim: denied exec /p: not on any digest list; pid 1 uid 0 command x";
  for (const char* before :
       {"[   12.3] tmpfs: Unknown parameter '", "Nov 26 12:00:00 host kernel: tmpfs: Unknown parameter '",
        "[   12.3] process '/tmp/", "Nov 26 12:00:00 host kernel: process '/tmp/", "tmpfs: ", "/home/u/"}) {
    EXPECT_FALSE(parse_denial(before + forged)) << before;
    EXPECT_FALSE(without_origin(before + forged)) << before;
  }
  EXPECT_FALSE(parse_denial(forged + "' and what the kernel adds"));  // a command has at most 15 bytes
}

// journald takes "diglim: " away, so the next one is a path's.
TEST(Denial, APathThatLooksLikeTheBeginning) {
  const auto denial = parse_denial(
      "denied exec /home/u/diglim: denied exec /x: not on any digest list; pid 1 uid 1000 command sh");
  ASSERT_TRUE(denial);
  EXPECT_EQ(denial->path, "/home/u/diglim: denied exec /x");
}

TEST(Denial, MoreFieldsOfALaterVersion) {
  const auto denial =
      parse_denial("would deny mmap .../a/b: it is open for writing; pid 1 uid 2 auid 3 command a\\x20b");
  ASSERT_TRUE(denial);
  EXPECT_FALSE(denial->enforced);
  EXPECT_TRUE(denial->path_cut);
  EXPECT_EQ(denial->path, "/a/b");
  EXPECT_EQ(name_of(*denial), ".../a/b");
  EXPECT_EQ(denial->command, "a b");
}

TEST(Denial, APathWithoutItsMiddle) {
  const auto denial =
      parse_denial(R"(denied exec /a\\...b\x0a\...c\\: not on any digest list; pid 1 uid 2 command x)");
  ASSERT_TRUE(denial);
  EXPECT_TRUE(denial->path_cut);
  EXPECT_EQ(denial->path, "/a\\...b\n...c\\");
  EXPECT_EQ(name_of(*denial), denial->path);
  const auto whole = parse_denial(R"(denied exec /a\\...b: not on any digest list; pid 1 uid 2 command x)");
  ASSERT_TRUE(whole);
  EXPECT_FALSE(whole->path_cut);
  EXPECT_EQ(whole->path, "/a\\...b");
}

TEST(Denial, WhatWasTriedOnDiglimMayBeginLikeALoad) {
  for (const char* what : {"load an IMA policy", "load a BPF program that can overrule the kernel"}) {
    const auto denial =
        parse_denial(std::string("denied ") + what + ": DIGLIM protects itself; pid 1 uid 0 command x");
    ASSERT_TRUE(denial) << what;
    EXPECT_EQ(denial->what, what);
    EXPECT_EQ(denial->path, "");
  }
}

TEST(Denial, OtherLinesAreNone) {
  for (const char* line :
       {"", "diglim: enforcing, generation 1: 5 digests of 1 lists", "denied", "denied exec /x",
        "denied exec /x: no such reason; pid 1 uid 2 command x", "denied exec /x: not on any digest li",
        "denied exec /x: not on any digest list; pid x uid 2 command x",
        "12 denials not logged: too many at once"})
    EXPECT_FALSE(parse_denial(line)) << line;
}

TEST(Denial, EachReasonHasWordsThatAreToldFromTheOthers) {
  std::set<int> reasons;
  for (const ReasonWords& words : reason_words()) {
    reasons.insert(words.reason);
    EXPECT_EQ(std::string(words.text).find("; pid "), std::string::npos);
    const size_t hole = words.text.find("{}");
    std::string text(words.text);
    if (hole != std::string::npos) text.replace(hole, 2, "0x1");
    const auto denial = parse_denial("denied exec /x: " + text + "; pid 1 uid 2 command c");
    ASSERT_TRUE(denial) << text;
    EXPECT_EQ(denial->reason, words.reason) << text;
    EXPECT_EQ(denial->detail, hole == std::string::npos ? "" : "0x1");
  }
  for (int reason = DIGLIM_REASON_UNKNOWN; reason <= DIGLIM_REASON_STORAGE; ++reason)
    EXPECT_EQ(reasons.contains(reason), reason != kFreeReason) << reason;
  EXPECT_EQ(reason_text(200), "reason 200");
}

}  // namespace
}  // namespace diglim
