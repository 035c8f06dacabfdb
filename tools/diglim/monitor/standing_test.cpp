// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/monitor/standing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace diglim::monitor {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string status(const std::string& mode, const std::string& allowed, int left, int times) {
  return R"({"mode":")" + mode + R"(","monitor":{"allowed":")" + allowed + R"(","left":)" +
         std::to_string(left) + R"(,"reason":"no login\n","times":)" + std::to_string(times) +
         R"(,"boot":"id","boot_seconds":9}})";
}

TEST(Standing, SaysWhatIsLeftAndWhy) {
  const auto standing = read_standing(status("enforce", "signed", 1741, 1));
  ASSERT_TRUE(standing) << standing.error().message;
  EXPECT_EQ(on_text(*standing), "monitors for another 30 min, because: no login\\n");
  EXPECT_THAT(describe(*standing), HasSubstr("diglim monitor end"));
  EXPECT_THAT(on_text(*read_standing(status("enforce", "signed", 119, 1))), HasSubstr("another 119 s"));
}

TEST(Standing, SaysWhoMayBeginIt) {
  const auto says = [](const std::string& mode, const std::string& allowed) {
    return describe(*read_standing(status(mode, allowed, 0, 0)));
  };
  EXPECT_THAT(says("enforce", "off"), HasSubstr("nobody may"));
  EXPECT_THAT(says("enforce", "signed"), HasSubstr("a trusted key signed"));
  EXPECT_THAT(says("enforce", "root"), HasSubstr("root may"));
  EXPECT_THAT(says("permissive", "root"), HasSubstr("denies nothing"));
  EXPECT_THAT(says("enforce", "off"), Not(HasSubstr("begun")));
  EXPECT_THAT(describe(*read_standing(status("enforce", "root", 0, 2))),
              HasSubstr("begun 2 times in this boot, the last because: no login\\n"));
}

TEST(Standing, AnotherVersionIsAnError) {
  for (const char* text : {"", "{}", "[]", R"({"mode":"enforce"})", R"({"mode":"enforce","monitor":3})",
                           R"({"mode":"enforce","monitor":{"left":"x"}})"})
    EXPECT_FALSE(read_standing(text)) << text;
}

}  // namespace
}  // namespace diglim::monitor
