// SPDX-License-Identifier: Apache-2.0
#include "policy/apparmor.h"

#include <gtest/gtest.h>

namespace diglim {
namespace {

TEST(AppArmor, ProfileHasNoRules) {
  const Bytes expected = {
      4, 8, 0, 'v', 'e', 'r', 's', 'i', 'o', 'n', 0, 2, 5, 0, 0, 0,  // u32 "version" = 5
      4, 8, 0, 'p', 'r', 'o', 'f', 'i', 'l', 'e', 0, 7,              // struct "profile"
      5, 2, 0, 'n', 0,                                               // its name
      4, 6, 0, 'f', 'l', 'a', 'g', 's', 0,   7,                      // struct "flags"
      2, 0, 0, 0,   0,   2,   0,   0,   0,   0,   2, 0, 0, 0, 0, 8,  // none, enforce, no audit; end
      2, 0, 0, 0,   0,   2,   0,   0,   0,   0,   2, 0, 0, 0, 0, 2, 0, 0, 0, 0,  // no capabilities
      8};
  EXPECT_EQ(empty_profile("n"), expected);
}

}  // namespace
}  // namespace diglim
