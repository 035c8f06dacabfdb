// SPDX-License-Identifier: Apache-2.0
#include "lib/rpm/version.h"

#include <gtest/gtest.h>

namespace diglim::rpm {
namespace {

// Each expectation was checked with `rpm --eval '%{lua: print(rpm.vercmp("a", "b"))}'` of rpm 4.18.
TEST(RpmVersion, OrdersAsRpmDoes) {
  struct Case {
    const char* a;
    const char* b;
    int order;
  };
  const Case cases[] = {{"1.0", "1.0", 0},
                        {"1.0", "2.0", -1},
                        {"2.0.1", "2.0", 1},
                        {"5.5p1", "5.5p10", -1},
                        {"10xyz", "10.1xyz", -1},
                        {"xyz10", "xyz10.1", -1},
                        {"xyz.4", "8", -1},
                        {"6.0.rc1", "6.0", 1},
                        {"10b2", "10a1", 1},
                        {"1.0a", "1.0aa", -1},
                        {"10.0001", "10.1", 0},
                        {"10.0001", "10.0039", -1},
                        {"4.999.9", "5.0", -1},
                        {"2_0", "2.0", 0},
                        {"a+", "a_", 0},
                        {"1.0~rc1", "1.0", -1},
                        {"1.0~rc1", "1.0~rc2", -1},
                        {"1.0~rc1~git", "1.0~rc1", -1},
                        {"1.0^", "1.0", 1},
                        {"1.0^git1", "1.01", -1},
                        {"1.0^git1", "1.0.1", -1},
                        {"1.0~rc1^git1", "1.0~rc1", 1},
                        {"1.0^git1~pre", "1.0^git1", -1},
                        {"18446744073709551616", "18446744073709551615", 1}};
  for (const Case& one : cases) {
    EXPECT_EQ(compare_versions(one.a, one.b), one.order) << one.a << " " << one.b;
    EXPECT_EQ(compare_versions(one.b, one.a), -one.order) << one.b << " " << one.a;
  }
}

TEST(RpmVersion, EpochFirstReleaseLast) {
  EXPECT_LT(compare_evr("9.0-1", "1:1.0-1"), 0);
  EXPECT_EQ(compare_evr("0:1.0-1", "1.0-1"), 0);
  EXPECT_LT(compare_evr("1.0-1", "1.0-2"), 0);
  EXPECT_EQ(compare_evr("1.0-1", "1.0"), 0);
}

TEST(RpmVersion, SplitsNames) {
  const auto name = split_nevra("gpg-pubkey-tools-1:2.0-3.el9.x86_64");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->name, "gpg-pubkey-tools");
  EXPECT_EQ(name->evr, "1:2.0-3.el9");
  for (const char* bad : {"", "a", "a.b", "a-1.noarch", "-1-1.noarch", "noarch"})
    EXPECT_FALSE(split_nevra(bad)) << bad;
}

}  // namespace
}  // namespace diglim::rpm
