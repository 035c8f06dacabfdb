// SPDX-License-Identifier: Apache-2.0
#include "lib/base/text.h"

#include <gtest/gtest.h>

namespace diglim {
namespace {

TEST(Escape, KeepsPrintableAndUtf8) {
  EXPECT_EQ(escape("/usr/bin/caf\xc3\xa9 x"), "/usr/bin/caf\xc3\xa9 x");
}

TEST(Escape, WritesControlsAndBadUtf8AsText) {
  EXPECT_EQ(escape("a\nb\tc\x1b[31m\\"), "a\\nb\\tc\\x1b[31m\\\\");
  EXPECT_EQ(escape("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(escape("\xc0\xaf"), "\\xc0\\xaf") << "overlong";
  EXPECT_EQ(escape("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "surrogate";
  EXPECT_EQ(escape("\xc2\x9b"), "\\xc2\\x9b") << "C1 control";
  EXPECT_EQ(escape("\xf0\x9f\x98"), "\\xf0\\x9f\\x98") << "cut short";
}

TEST(Escape, CutsAndSaysSo) {
  EXPECT_EQ(escape("abcdef", 3), "abc...");
}

TEST(Trim, Ends) {
  EXPECT_EQ(trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(trim(" \n"), "");
}

TEST(HasItem, WholeItemsOnly) {
  EXPECT_TRUE(has_item("a,bc,d\n", "a"));
  EXPECT_TRUE(has_item("a,bc,d\n", "bc"));
  EXPECT_TRUE(has_item("a,bc,d\n", "d"));
  EXPECT_FALSE(has_item("a,bc,d\n", "b"));
  EXPECT_FALSE(has_item("a,bc,d", "a,bc"));
  EXPECT_FALSE(has_item("", "a"));
}

TEST(SplitWords, AtWhiteSpace) {
  EXPECT_EQ(split_words(" a\tbc \n\r d "), (std::vector<std::string_view>{"a", "bc", "d"}));
  EXPECT_TRUE(split_words(" \n").empty());
}

TEST(Text, UnescapeGivesBackWhatWasEscaped) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  all += "\xc3\xa4 \\x41";
  EXPECT_EQ(unescape(escape(all)), all);
  for (const char* bad : {"\\", "\\x", "\\x4", "\\xzz", "\\q"}) EXPECT_FALSE(unescape(bad)) << bad;
}

}  // namespace
}  // namespace diglim
