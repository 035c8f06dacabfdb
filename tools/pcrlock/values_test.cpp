// SPDX-License-Identifier: Apache-2.0
#include "tools/pcrlock/values.h"

#include <gtest/gtest.h>

namespace diglim::pcrlock {
namespace {

const Values kTwo = {{7, {"aa"}}, {11, {"bb", "cc"}}};

TEST(PcrlockValues, OfAPolicyAndOfAPrediction) {
  const std::string registers = R"([{"pcr":7,"values":["aa"]},{"pcr":11,"values":["bb","cc"]}])";
  EXPECT_EQ(read_values(R"({"sha1":[{"pcr":7,"values":["00"]}],"sha256":)" + registers + R"(,"sha512":[]})"),
            kTwo);
  EXPECT_EQ(read_values(R"({"pcrBank":"sha256","pcrValues":)" + registers + R"(,"nvIndex":1})"), kTwo);
}

TEST(PcrlockValues, WhatIsNoSuchTextHasNone) {
  for (const char* text : {"", "{", "1", "[7]", R"([{"pcr":7,"values":["aa"]}])", "{}",
                           R"({"sha1":[{"pcr":7,"values":["aa"]}]})", R"({"pcrValues":7})",
                           R"({"sha256":[7,{"pcr":"7"},{"pcr":-7}]})"})
    EXPECT_EQ(read_values(text), Values()) << text;
  EXPECT_EQ(read_values(R"({"sha256":[{"pcr":7},{"pcr":8,"values":1},{"pcr":9,"values":[1]}]})"),
            (Values{{7, {}}, {8, {}}, {9, {}}}));
}

TEST(PcrlockValues, KnowsTheInitramfs) {
  EXPECT_TRUE(knows_initramfs(kTwo));
  EXPECT_TRUE(knows_initramfs({{9, {"01"}}}));
  EXPECT_FALSE(knows_initramfs({{7, {"aa"}}, {8, {"bb"}}}));
  EXPECT_FALSE(knows_initramfs({{9, {"0000"}}, {11, {"bb", "0000"}}}));
  EXPECT_FALSE(knows_initramfs({{9, {}}}));
}

}  // namespace
}  // namespace diglim::pcrlock
