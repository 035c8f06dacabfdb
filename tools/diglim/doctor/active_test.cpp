// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/doctor/active.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace diglim::doctor {
namespace {

using testing::HasSubstr;

TEST(Active, EachModeIsCalledWhatItIs) {
  EXPECT_EQ(active_by_status(R"({"mode": "enforce"})").level, Level::kOk);
  const Finding measures = active_by_status(R"({"mode": "measure"})");
  EXPECT_EQ(measures.level, Level::kOk) << "it is what was wanted";
  EXPECT_THAT(measures.what, HasSubstr("measures"));
  const Finding permissive = active_by_status(R"({"mode": "permissive"})");
  EXPECT_EQ(permissive.level, Level::kWarn);
  EXPECT_THAT(permissive.what, HasSubstr("permissive"));
}

TEST(Active, MonitorModeIsAWarning) {
  const std::string status = R"({"mode":"enforce","monitor":{"allowed":"root","left":60,"reason":"no login",)"
                             R"("times":1,"boot":"x","boot_seconds":1}})";
  const Finding finding = active_by_status(status);
  EXPECT_EQ(finding.level, Level::kWarn);
  EXPECT_THAT(finding.what, HasSubstr("monitors for another 60 s, because: no login"));
  EXPECT_THAT(finding.next, HasSubstr("diglim monitor end"));
}

TEST(Active, NoAnswerIsNotActive) {
  EXPECT_THAT(active_by_status(std::nullopt).what, HasSubstr("not active"));
  EXPECT_EQ(active_by_status(std::nullopt).level, Level::kWarn);
}

TEST(Active, WhatIsNotUnderstoodIsNotCalledPermissive) {
  for (const char* text : {"", "[]", "{}", R"({"mode": 1})", R"({"mode": "other"})", R"({"mode": "")"}) {
    const Finding finding = active_by_status(text);
    EXPECT_EQ(finding.level, Level::kUnknown) << text;
    EXPECT_THAT(finding.what, HasSubstr("does not know")) << text;
  }
}

TEST(Log, WhatSilencesItIsSaid) {
  const auto find = [](const std::string& events) {
    return log_by_status(R"({"mode": "enforce", "events": {)" + events + "}}").value_or(Finding());
  };
  EXPECT_EQ(find("").level, Level::kOk);
  EXPECT_EQ(find(R"("log_fault": "3 denials are not logged: the keeper is gone")").level, Level::kWarn);
  EXPECT_EQ(find(R"("keeper_restarts": 1)").level, Level::kWarn);
  EXPECT_EQ(find(R"("not_logged": 1)").level, Level::kWarn);
  EXPECT_EQ(find(R"("not_written": 1)").level, Level::kWarn);
  EXPECT_EQ(find(R"("dropped": 1)").level, Level::kWarn);
  EXPECT_EQ(find(R"("unsent": 1)").level, Level::kOk) << "nobody ever asked for them";
  EXPECT_EQ(find(R"("sent": 1, "unsent": 1)").level, Level::kWarn);
  for (const char* text : {"", "[]", "{", R"({"events": 1})"}) EXPECT_FALSE(log_by_status(text)) << text;
  EXPECT_FALSE(log_by_status(std::nullopt));
}

}  // namespace
}  // namespace diglim::doctor
