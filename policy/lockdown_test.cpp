// SPDX-License-Identifier: Apache-2.0
#include "policy/lockdown.h"

#include <gtest/gtest.h>

namespace diglim {
namespace {

TEST(Lockdown, HasTheLevelInBrackets) {
  EXPECT_EQ(lockdown_of(""), Lockdown::kAbsent);
  EXPECT_EQ(lockdown_of("[none] integrity confidentiality\n"), Lockdown::kNone);
  EXPECT_EQ(lockdown_of("none [integrity] confidentiality\n"), Lockdown::kIntegrity);
  EXPECT_EQ(lockdown_of("none integrity [confidentiality]\n"), Lockdown::kConfidentiality);
  EXPECT_EQ(lockdown_of("none integrity"), Lockdown::kNone);
}

TEST(ModuleSignatures, AreEnforcedBySigEnforceOrLockdown) {
  EXPECT_TRUE(module_signatures_enforced("Y\n", "[none] integrity confidentiality\n"));
  EXPECT_TRUE(module_signatures_enforced("N\n", "none [integrity] confidentiality\n"));
  EXPECT_TRUE(module_signatures_enforced("N\n", "none integrity [confidentiality]\n"));
  EXPECT_TRUE(module_signatures_enforced("Y\n", ""));
}

TEST(ModuleSignatures, AreNotEnforcedOtherwise) {
  EXPECT_FALSE(module_signatures_enforced("N\n", "[none] integrity confidentiality\n"));
  EXPECT_FALSE(module_signatures_enforced("", ""));
  EXPECT_FALSE(module_signatures_enforced("YES\n", "integrity"));
}

}  // namespace
}  // namespace diglim
