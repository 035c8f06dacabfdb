// SPDX-License-Identifier: Apache-2.0
#include "tools/events/state_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tools/events/test_event.h"

namespace diglim::events {
namespace {

using testing::HasSubstr;

const auto kLocked = [] { return true; };

TEST(EventsState, IsTakenUpByTheNextProcessOfTheBoot) {
  std::vector<std::unique_ptr<Outlet>> outlets;
  outlets.push_back(std::make_unique<Outlet>(
      "journal", [](const Event&, uint64_t) -> Result<void> { return invalid("no\n"); }));
  outlets[0]->give(std::make_shared<const Event>(test_event()), 4);
  outlets[0]->stop();
  const std::string text = state_text("boot", 0, false, outlets);
  const auto known = parse_state(text, "boot");
  ASSERT_EQ(known.size(), 1u);
  EXPECT_EQ(known.at("journal").next, 5u);
  EXPECT_EQ(known.at("journal").lost, 1u);
  EXPECT_FALSE(known.at("journal").is_fresh);
  EXPECT_TRUE(parse_state(text, "other").empty());
  bool lost = false;
  EXPECT_THAT(status_text(text, kLocked, lost),
              HasSubstr("journal: 0 written, 1 lost, 0 wait; refuses: no\\n\n"));
  EXPECT_TRUE(lost);
}

TEST(EventsState, RunsIfTheProcessIsThereAndHasTheLock) {
  const std::string mine = R"({"boot":"b","pid":)" + std::to_string(getpid()) + "}";
  bool lost = false;
  EXPECT_THAT(status_text(mine, kLocked, lost), HasSubstr("runs, process"));
  EXPECT_FALSE(lost);
  EXPECT_THAT(status_text(
                  mine, [] { return false; }, lost),
              HasSubstr("does not run"))
      << "its number is another's";
  EXPECT_TRUE(lost);
  EXPECT_THAT(status_text(R"({"boot":"b","pid":2147483647})", kLocked, lost), HasSubstr("does not run"));
}

TEST(EventsState, WhatIsDamagedIsNothing) {
  for (const char* text : {"", "[]", "{", "{\"boot\":1}", "{\"boot\":\"b\",\"outlets\":[1,{\"name\":2}]}"}) {
    (void)parse_state(text, "b");
    bool lost = false;
    EXPECT_FALSE(status_text(text, kLocked, lost).empty()) << text;
    EXPECT_TRUE(lost) << text;
  }
}

}  // namespace
}  // namespace diglim::events
