// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/audit/state_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "tools/diglim/audit/test_facts.h"

namespace diglim::audit {
namespace {

using testing::HasSubstr;
using testing::Not;

// As OVAL reads it; a key that comes twice is a failure.
std::map<std::string, std::string> read(const std::string& text) {
  std::map<std::string, std::string> all;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    const size_t at = line.find(" = ");
    EXPECT_NE(at, std::string::npos) << line;
    EXPECT_TRUE(all.emplace(line.substr(0, at), line.substr(at + 3)).second) << line;
  }
  return all;
}

TEST(StateFile, SaysWhatIsInForce) {
  Facts facts = active_facts();
  add_exception(facts, "alice", 1'800'000'100);
  add_exception(facts, "", 0);
  add_exception(facts, "bob", 1);
  facts.exceptions.back().made = 1'700'000'000;
  facts.damaged = {"d"};
  facts.last = LastDenial{1'799'999'999, "not on any digest list"};
  auto state = read(state_text(facts));
  EXPECT_EQ(state["mode"], "enforce");
  EXPECT_EQ(state["since"], "2027-01-15T07:58:20Z");
  EXPECT_EQ(state["boot_id"], "boot-1");
  EXPECT_EQ(state["written_at_s"], "1800000000");
  EXPECT_EQ(state["digests"], "20");
  EXPECT_EQ(state["lists"], "2");
  EXPECT_EQ(state["unusable_keys"], "1");
  EXPECT_EQ(state["not_logged"], "4");
  EXPECT_EQ(state["log"], "ok");
  EXPECT_EQ(state["exceptions"], "4");
  EXPECT_EQ(state["exceptions_without_owner"], "1");
  EXPECT_EQ(state["exceptions_without_end"], "1");
  EXPECT_EQ(state["exceptions_over"], "1");
  EXPECT_EQ(state["exceptions_older_than_a_year"], "1");
  EXPECT_EQ(state["exceptions_damaged"], "1");
  EXPECT_EQ(state["exceptions_next_end"], "2027-01-15T08:01:40Z");
  EXPECT_EQ(state["last_denial"], "not on any digest list");
}

TEST(StateFile, MonitorModeDoesNotEnforce) {
  Facts facts = active_facts();
  facts.status["monitor"] = {{"allowed", "signed"}, {"left", 0u}, {"times", 1u}, {"reason", "secret"}};
  facts.mode = mode_of(facts.status);
  auto state = read(state_text(facts));
  EXPECT_EQ(state["mode"], "enforce");
  EXPECT_EQ(state["monitor_allowed"], "signed");
  EXPECT_EQ(state["monitor_seconds_left"], "0");
  EXPECT_EQ(state["monitor_times"], "1");
  facts.status["monitor"]["left"] = 60u;
  facts.mode = mode_of(facts.status);
  const std::string text = state_text(facts);
  state = read(text);
  EXPECT_EQ(state["mode"], "monitor");
  EXPECT_EQ(state["monitor_seconds_left"], "60");
  EXPECT_THAT(text, Not(HasSubstr("since = "))) << "not since the boot";
  EXPECT_THAT(text, Not(HasSubstr("secret"))) << "the state is for everybody";
  facts.status["mode"] = "permissive";
  EXPECT_EQ(mode_of(facts.status), "permissive");
  facts.status["mode"] = "monitor";
  EXPECT_EQ(mode_of(facts.status), "unknown");
}

TEST(StateFile, ASilentKeeperIsAFault) {
  Facts facts = active_facts();
  facts.status["events"]["log_fault"] = "3 denials are not logged: the keeper is gone";
  auto state = read(state_text(facts));
  EXPECT_EQ(state["log"], "fault");
  EXPECT_EQ(state["log_fault"], "3 denials are not logged: the keeper is gone");
}

// What others can write (a name in a fault, a kernel's release) makes no line of its own.
TEST(StateFile, OneLineForEachKey) {
  Facts facts = active_facts();
  facts.status["events"]["log_fault"] = "x\nmode = enforce\x1b[2J";
  facts.kernel = "6\nlog = ok";
  auto state = read(state_text(facts));
  EXPECT_EQ(state["kernel"], "6\\nlog = ok");
  EXPECT_EQ(state["log_fault"], "x\\nmode = enforce\\x1b[2J");
  const auto json = nlohmann::json::parse(state_json(facts));
  EXPECT_EQ(json.size(), state.size());
  for (const auto& [key, value] : state)
    EXPECT_EQ(json[key].is_string() ? json[key].get<std::string>() : json[key].dump(), value) << key;
  EXPECT_TRUE(json["digests"].is_number());
}

TEST(StateFile, WhatIsNotKnownIsNotSaid) {
  Facts facts;
  facts.mode = "inactive";
  facts.fault = "DIGLIM is not active";
  facts.exceptions_fault = "open /var/lib/diglim/allow: Permission denied";
  facts.clock.now = 1'800'000'000;
  const std::string text = state_text(facts);
  auto state = read(text);
  EXPECT_EQ(state["mode"], "inactive");
  EXPECT_THAT(text, HasSubstr("exceptions_fault = open "));
  for (const char* key : {"digests", "denied", "log", "exceptions", "since", "generation"})
    EXPECT_THAT(text, Not(HasSubstr("\n" + std::string(key) + " = ")));
}

TEST(StateFile, OfAnotherVersionsLoader) {
  for (const char* status : {"{}", R"({"events":3,"lists":7,"keys":{},"digests":"x","verdicts":[]})"}) {
    Facts facts = active_facts();
    facts.status = nlohmann::json::parse(status);
    EXPECT_THAT(state_text(facts), HasSubstr("\nmode = enforce\n")) << status;
  }
}

}  // namespace
}  // namespace diglim::audit
