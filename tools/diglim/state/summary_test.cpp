// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/state/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace diglim::state {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Facts active(const std::string& mode, int denied, const std::string& fault = "", int lost = 0) {
  Facts facts;
  facts.is_root = true;
  facts.status = R"({"mode":")" + mode +
                 R"(","generation":3,"loaded_at":0,"digests":7,"lists":[{},{}],"keys":["a"],)" +
                 R"("events":{"denied":)" + std::to_string(denied) + R"(,"dropped":)" + std::to_string(lost) +
                 R"(,"log_fault":")" + fault + "\"}}";
  return facts;
}

TEST(Summary, FiveLines) {
  Facts facts = active("enforce", 2);
  facts.exceptions = 1;
  facts.last_denied = "/x\n";
  const Summary summary = summarize(facts);
  EXPECT_THAT(summary.lines,
              ElementsAre("DIGLIM      enforces",
                          "knows       7 digests of 2 lists, signed by 1 keys; generation 3, since never",
                          "denied      2 since the boot", "exceptions  1", "last        /x\\n"));
  EXPECT_THAT(summary.next, HasSubstr("diglim explain"));
  EXPECT_TRUE(summary.good);
}

TEST(Summary, WhatToDoNext) {
  EXPECT_THAT(summarize(active("enforce", 0)).next, HasSubstr("nothing;"));
  EXPECT_THAT(summarize(active("permissive", 0)).next, HasSubstr("--mode enforce"));
  EXPECT_THAT(summarize(active("permissive", 5)).next, HasSubstr("diglim report"));
  EXPECT_THAT(summarize(active("permissive", 5)).lines[2], HasSubstr("5 would have been since the boot"));
  EXPECT_FALSE(summarize(active("permissive", 5)).good);
  EXPECT_THAT(summarize(active("enforce", 5, "the keeper is gone")).next, HasSubstr("another keeper"));
  EXPECT_THAT(summarize(active("enforce", 5, "the keeper is gone")).lines[2],
              HasSubstr("; the keeper is gone"));
  EXPECT_THAT(summarize(active("enforce", 5, "", 3)).lines[2], HasSubstr("3 of them without a line"));
  EXPECT_THAT(summarize(active("other", 0)).lines[0], HasSubstr("does not know"));
}

TEST(Summary, MonitorModeIsTheFirstThingSaid) {
  Facts facts = active("enforce", 1);
  facts.status->replace(facts.status->find("\"generation\""), 0,
                        R"("monitor":{"allowed":"root","left":60,"reason":"no login","times":1,)"
                        R"("boot":"x","boot_seconds":1},)");
  const Summary summary = summarize(facts);
  EXPECT_EQ(summary.lines[0], "DIGLIM      monitors for another 60 s, because: no login");
  EXPECT_THAT(summary.next, HasSubstr("diglim monitor end"));
  EXPECT_FALSE(summary.good);
}

TEST(Summary, SaysWhenItWillEnforce) {
  Facts facts = active("permissive", 0);
  facts.watch = "enforces after 3 more clean days";
  EXPECT_EQ(summarize(facts).lines[0],
            "DIGLIM      is permissive, denies nothing; enforces after 3 more clean days");
  EXPECT_THAT(summarize(facts).next, HasSubstr("does not wait"));
  facts = active("permissive", 1);
  facts.watch = "enforces after 3 more clean days";
  EXPECT_THAT(summarize(facts).next, HasSubstr("diglim report"));
}

TEST(Summary, NotActive) {
  Facts facts;
  EXPECT_EQ(summarize(facts).next, "sudo diglim");
  facts.is_root = true;
  EXPECT_THAT(summarize(facts).next, HasSubstr("diglim setup install"));
  EXPECT_EQ(summarize(facts).lines.size(), 5u);
  EXPECT_FALSE(summarize(facts).good);
  facts.is_set_up = true;
  EXPECT_THAT(summarize(facts).next, HasSubstr("reboot"));
  for (const char* bad : {"", "[]", "{", "{\"events\":3,\"lists\":7,\"mode\":1,\"digests\":\"x\"}"}) {
    facts.status = bad;
    EXPECT_EQ(summarize(facts).lines.size(), 5u) << bad;
  }
}

}  // namespace
}  // namespace diglim::state
