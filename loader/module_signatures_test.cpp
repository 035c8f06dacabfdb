// SPDX-License-Identifier: Apache-2.0
#include "loader/module_signatures.h"

#include <gtest/gtest.h>

namespace diglim {
namespace {

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
