// SPDX-License-Identifier: Apache-2.0
#include "loader/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace diglim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Config, EmptyMeansEnforceAndNothingWeak) {
  const auto config = parse_config("");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->mode, Mode::kEnforce);
  EXPECT_TRUE(config->signatures.allowed_weak_hashes.empty());
}

TEST(Config, ReadsSettingsAndComments) {
  const auto config = parse_config(
      "# first\n\nmode = permissive  # for now\nallow-signature-hash=sha1\nallow-signature-hash = md5\n"
      "init = /usr/lib/systemd/systemd");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->mode, Mode::kPermissive);
  EXPECT_THAT(config->signatures.allowed_weak_hashes, ElementsAre(HashAlgo::kSha1, HashAlgo::kMd5));
  EXPECT_EQ(config->init, "/usr/lib/systemd/systemd");
}

TEST(Config, NamesTheLineThatItCannotRead) {
  EXPECT_EQ(parse_config("\nmode = off\n").error().message,
            "line 2: mode is \"enforce\" or \"permissive\", not \"off\"");
  EXPECT_EQ(parse_config("colour = red").error().message,
            "line 1: unknown setting \"colour\" (mode, init, allow-signature-hash)");
  EXPECT_EQ(parse_config("mode").error().message, "line 1: \"key = value\" expected");
  EXPECT_EQ(parse_config("allow-signature-hash = crc").error().message,
            "line 1: unknown hash \"crc\" (md5, sha1 or rmd160)");
  EXPECT_THAT(parse_config("init = bash").error().message, HasSubstr("absolute"));
}

TEST(Config, CommandLineWins) {
  Config config = *parse_config("mode = enforce");
  ASSERT_TRUE(apply_command_line(
      "quiet diglim.mode=permissive x=diglim.mode=enforce diglim.init=/bin/a -- diglim.mode=enforce\n",
      config));
  EXPECT_EQ(config.mode, Mode::kPermissive);
  EXPECT_EQ(config.init, "/bin/a");
  EXPECT_THAT(config.unknown_words, ElementsAre());
  ASSERT_TRUE(apply_command_line("diglim.moed=permissive diglim diglim.mode x=diglim.y -- diglim.z", config));
  EXPECT_THAT(config.unknown_words, ElementsAre("diglim.moed=permissive", "diglim.mode"));
  const auto wrong = apply_command_line("diglim.mode=enforced", config);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message,
            "kernel command line: mode is \"enforce\" or \"permissive\", not \"enforced\"");
}

}  // namespace
}  // namespace diglim
