// SPDX-License-Identifier: Apache-2.0
// What diglim-events writes, read back.
#include <gtest/gtest.h>

#include "tools/diglim/explain/log.h"
#include "tools/events/test_event.h"

namespace diglim::explain {
namespace {

TEST(EventEntries, AWholeEventIsReadAsItsLineIs) {
  Log log;
  add_line(log, events::json_line(events::test_event(), 0));
  add_line(log, "diglim: " + events::test_event().line);
  ASSERT_EQ(log.denials.size(), 2u);
  const Denial& whole = log.denials[0].denial;
  const Denial& line = log.denials[1].denial;
  EXPECT_EQ(whole.path, "/tmp/a \"\n\x1b[2J\xff");
  EXPECT_EQ(whole.path, line.path);
  EXPECT_EQ(whole.event, line.event);
  EXPECT_EQ(whole.reason, line.reason);
  EXPECT_EQ(whole.command, line.command);
  EXPECT_EQ(whole.pid, line.pid);
  EXPECT_EQ(whole.uid, line.uid);
  EXPECT_TRUE(whole.enforced);
  EXPECT_EQ(log.denials[0].time_us, 9'000'000u);
  EXPECT_TRUE(log.not_logged.empty() && log.not_understood.empty());
  EXPECT_EQ(describe(log.denials[0].where), "in the container pid:[4026532000], the unit x.service");
  EXPECT_EQ(describe(log.denials[1].where), "") << "the line does not say";
}

TEST(EventEntries, WhatIsMissingIsCounted) {
  Log log;
  add_line(log, events::json_line(events::test_event(), 3));
  ASSERT_EQ(log.not_logged.size(), 1u);
  EXPECT_EQ(log.not_logged.front().denials, 3u);
}

TEST(EventEntries, WhatWasAllowedIsNoDenial) {
  EventRecord record = events::test_record();
  record.event.reason = 0;
  record.event.enforced = 0;
  Log log;
  add_line(log, events::json_line(events::describe(record, "", {}), 0));
  EXPECT_TRUE(log.denials.empty() && log.not_understood.empty());
}

TEST(EventEntries, OfAnotherVersionOrNone) {
  Log log;
  add_line(log, R"({"event":"3f2a91bc-57","verdict":"denied","kind":"exec","reason":"a later one"})");
  EXPECT_EQ(log.not_understood.size(), 1u);
  for (const char* line : {"{", "{}", "[]", R"({"event":7})", R"({"other":"denied exec /x"})"})
    add_line(log, line);
  EXPECT_TRUE(log.denials.empty());
}

// Whoever may make cgroups gives them their names.
TEST(EventEntries, NamesReachNoTerminal) {
  EXPECT_EQ(describe({"x\x1b[2J.scope", "", ""}), "in the unit x\\x1b[2J.scope");
  EXPECT_EQ(describe({"", "a\nb", "/a"}), "in the container a\\nb");
  EXPECT_EQ(describe({"", "", "/x\r"}), "in the control group /x\\x0d");
  EXPECT_EQ(describe({"", "", "/"}), "");
  const Where where = where_of([](const char*) { return std::string("a\\x1bb"); });
  EXPECT_EQ(where.unit,
            "a\x1b"
            "b");
}

}  // namespace
}  // namespace diglim::explain
