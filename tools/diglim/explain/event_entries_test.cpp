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

TEST(EventEntries, FieldsOfTheJournal) {
  std::vector<JournalField> fields = {{"_UID", "0"},
                                      {"MESSAGE", "denied exec /t/mine: whatever"},
                                      {"DIGLIM_EVENT", "3f2a91bc-57"},
                                      {"DIGLIM_TIME", "2026-11-27T12:00:00.123456Z"},
                                      {"DIGLIM_VERDICT", "denied"},
                                      {"DIGLIM_KIND", "exec"},
                                      {"DIGLIM_PATH", "/t/12\\n"},
                                      {"DIGLIM_REASON", "not on any digest list"},
                                      {"DIGLIM_DIGEST", "sha256:" + std::string(64, 'a')},
                                      {"DIGLIM_PID", "12"},
                                      {"DIGLIM_UID", "7"},
                                      {"DIGLIM_COMMAND", "33"},
                                      {"DIGLIM_UNIT", "mine.service"}};
  const auto denial = read_fields(fields);
  ASSERT_TRUE(denial);
  EXPECT_EQ(denial->denial.path, "/t/12\n");
  EXPECT_EQ(denial->denial.event, "3f2a91bc-57");
  EXPECT_EQ(denial->denial.pid, 12u);
  EXPECT_EQ(denial->denial.uid, 7u);
  EXPECT_EQ(denial->denial.command, "33");
  EXPECT_EQ(denial->denial.digest.size(), 32u);
  EXPECT_EQ(denial->time_us % 1'000'000, 123456u);
  EXPECT_EQ(denial->where.unit, "mine.service");
  for (JournalField& field : fields)
    if (field.first == "DIGLIM_VERDICT") field.second = "allowed";
  EXPECT_FALSE(read_fields(fields)) << "no denial";
  EXPECT_FALSE(read_fields({{"DIGLIM_REASON", "not on any digest list"}}));
  EXPECT_FALSE(
      read_fields({{"DIGLIM_", "x"}, {"DIGLIM_EVENT", "\xff"}, {"DIGLIM_PID", "99999999999999999999"}}));
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
