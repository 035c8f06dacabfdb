// SPDX-License-Identifier: Apache-2.0
// What is no valid OpenMetrics selftests/host/tools/audit_test.sh finds, with a parser of its own.
#include "tools/diglim/audit/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/diglim/audit/test_facts.h"

namespace diglim::audit {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Metrics, SaysWhatIsInForce) {
  Facts facts = active_facts();
  add_exception(facts, "", 0);
  const std::string text = openmetrics(facts);
  EXPECT_THAT(text, HasSubstr("\ndiglim_mode{mode=\"enforce\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\ndiglim_mode{mode=\"permissive\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("\ndiglim_digests 20\n"));
  EXPECT_THAT(text, HasSubstr("\ndiglim_decisions_total{kind=\"exec\",verdict=\"denied\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("\ndiglim_unlogged_total{cause=\"rate_limit\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("\ndiglim_hashed_bytes_total 5000\n"));
  EXPECT_THAT(text, HasSubstr("\ndiglim_exceptions_wanting{what=\"owner\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\ndiglim_hook_statistics 0\n"));
  EXPECT_THAT(text, Not(HasSubstr("diglim_hook_runs")));
  EXPECT_TRUE(text.ends_with("\n# EOF\n"));
}

TEST(Metrics, CostOfHooks) {
  Facts facts = active_facts();
  // Parsed, as the status is: a literal of C++ would be a signed number, which the loader never writes.
  facts.status["programs"] =
      nlohmann::json::parse(R"([{"name": "diglim_exec", "runs": 113, "ns": 2000000042}])");
  EXPECT_THAT(openmetrics(facts), HasSubstr("\ndiglim_hook_seconds_total{hook=\"exec\"} 2.000000042\n"));
  EXPECT_THAT(openmetrics(facts), Not(HasSubstr("diglim_cache_hits"))) << "when counting began is not known";
  facts.bpf_stats_since_boot = true;
  EXPECT_THAT(openmetrics(facts), HasSubstr("\ndiglim_cache_hits_total{kind=\"exec\"} 100\n"));
  facts.status["programs"][0]["runs"] = 12u;  // fewer than decided: it was off meanwhile
  EXPECT_THAT(openmetrics(facts), Not(HasSubstr("diglim_cache_hits")));
}

TEST(Metrics, MonitorMode) {
  Facts facts = active_facts();
  EXPECT_THAT(openmetrics(facts), Not(HasSubstr("diglim_monitor")));
  facts.status["monitor"] = {{"left", 60u}, {"times", 2u}};
  facts.mode = mode_of(facts.status);
  const std::string text = openmetrics(facts);
  EXPECT_THAT(text, HasSubstr("\ndiglim_mode{mode=\"enforce\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("\ndiglim_mode{mode=\"monitor\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\ndiglim_monitor_seconds_left 60\n"));
  EXPECT_THAT(text, HasSubstr("\ndiglim_monitor_begun_total 2\n"));
}

TEST(Metrics, NotActive) {
  Facts facts;
  facts.mode = "inactive";
  EXPECT_THAT(openmetrics(facts), HasSubstr("\ndiglim_mode{mode=\"inactive\"} 1\n"));
  EXPECT_THAT(openmetrics(facts), Not(HasSubstr("diglim_digests")));
}

TEST(Metrics, LabelsAreEscaped) {
  EXPECT_EQ(label_value("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
  EXPECT_EQ(label_value("\x1b[2J\xff\xc3\xa9"), "\xEF\xBF\xBD[2J\xEF\xBF\xBD\xc3\xa9");
  EXPECT_EQ(label_value("\xe2\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD");
}

}  // namespace
}  // namespace diglim::audit
