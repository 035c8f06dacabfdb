// SPDX-License-Identifier: Apache-2.0
#include "policy/config.h"

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
            "line 2: mode is \"enforce\", \"permissive\" or \"measure\", not \"off\"");
  EXPECT_EQ(parse_config("colour = red").error().message,
            "line 1: unknown setting \"colour\" (mode, measure, pcr, labels, log-allowed, monitor, init, "
            "allow-signature-hash)");
  EXPECT_EQ(parse_config("mode").error().message, "line 1: \"key = value\" expected");
  EXPECT_EQ(parse_config("allow-signature-hash = crc").error().message,
            "line 1: unknown hash \"crc\" (md5, sha1 or rmd160)");
  EXPECT_THAT(parse_config("init = bash").error().message, HasSubstr("absolute"));
}

TEST(Config, LabelsOfSelinuxSteerWhereTheUnknownIsDenied) {
  EXPECT_EQ(parse_config("")->steering_labels(), PolicyLabels::kAppArmor);
  Config config = *parse_config("labels = selinux");
  EXPECT_EQ(config.steering_labels(), PolicyLabels::kSelinux);
  ASSERT_TRUE(apply_command_line("diglim.mode=measure", config));
  EXPECT_EQ(config.steering_labels(), PolicyLabels::kSelinux);
  ASSERT_TRUE(apply_command_line("diglim.mode=permissive", config));
  EXPECT_EQ(config.steering_labels(), PolicyLabels::kNone);
  ASSERT_TRUE(apply_command_line("diglim.labels=apparmor", config));
  EXPECT_EQ(config.steering_labels(), PolicyLabels::kAppArmor);
  EXPECT_EQ(parse_config("labels = smack").error().message,
            "line 1: labels is \"apparmor\" or \"selinux\", not \"smack\"");
}

TEST(Config, NobodyMayBeginMonitorModeUnlessItSaysWho) {
  EXPECT_EQ(parse_config("")->monitor, DIGLIM_MONITOR_OFF);
  EXPECT_EQ(parse_config("monitor = off")->monitor, DIGLIM_MONITOR_OFF);
  EXPECT_EQ(parse_config("monitor = signed")->monitor, DIGLIM_MONITOR_SIGNED);
  EXPECT_EQ(parse_config("monitor = root")->monitor, DIGLIM_MONITOR_ROOT);
  EXPECT_EQ(parse_config("monitor = on").error().message,
            "line 1: monitor is \"off\", \"signed\" or \"root\", not \"on\"");
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
            "kernel command line: mode is \"enforce\", \"permissive\" or \"measure\", not \"enforced\"");
}

TEST(Config, AnArgumentOfInitMakesItPermissive) {
  Config config;
  ASSERT_TRUE(apply_command_line("quiet -p diglim.mode=measure -- -px single\n", config));
  EXPECT_EQ(config.mode, Mode::kMeasure);
  ASSERT_TRUE(apply_command_line("quiet diglim.mode=measure -- single -p diglim.mode=enforce\n", config));
  EXPECT_EQ(config.mode, Mode::kPermissive);
}

TEST(Config, WhatStandsInQuotesIsNotOurs) {
  Config config;
  ASSERT_TRUE(apply_command_line("dyndbg=\"x -- -p\" diglim.measure=on", config));
  EXPECT_EQ(config.mode, Mode::kEnforce);
  EXPECT_TRUE(config.measure);
  EXPECT_FALSE(apply_command_line("diglim.mode=\"permissive\"", config));
  EXPECT_EQ(config.mode, Mode::kEnforce);
}

TEST(Config, WhatIsRightOnTheCommandLineCountsBesideWhatIsWrong) {
  Config config;
  const auto wrong = apply_command_line("diglim.pcr=99 diglim.labels=x diglim.mode=permissive", config);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message, "kernel command line: pcr is a number from 8 to 15, not \"99\"");
  EXPECT_EQ(config.mode, Mode::kPermissive);
  config.mode = Mode::kEnforce;
  EXPECT_FALSE(apply_command_line("diglim.mode=x -- -p", config));
  EXPECT_EQ(config.mode, Mode::kPermissive);
}

TEST(Config, MeasuresWhenAskedAndInItsMode) {
  EXPECT_FALSE(parse_config("")->measures());
  EXPECT_EQ(parse_config("")->pcr, 10);
  EXPECT_TRUE(parse_config("measure = on")->measures());
  EXPECT_FALSE(parse_config("measure = on\nmeasure = off")->measures());
  Config config = *parse_config("mode = measure\npcr = 12");
  EXPECT_TRUE(config.measures());
  EXPECT_EQ(config.pcr, 12);
  ASSERT_TRUE(apply_command_line("diglim.mode=permissive diglim.measure=on diglim.pcr=8", config));
  EXPECT_TRUE(config.measures());
  EXPECT_EQ(config.pcr, 8);
}

TEST(Config, RefusesOtherMeasuringSettings) {
  for (const char* line : {"pcr = 7", "pcr = 16", "pcr = 1O", "pcr = ", "pcr = -10", "pcr = 10 11",
                           "measure = yes", "measure = "}) {
    EXPECT_FALSE(parse_config(line)) << line;
  }
  EXPECT_EQ(parse_config("pcr = 23").error().message, "line 1: pcr is a number from 8 to 15, not \"23\"");
}

TEST(Config, LogAllowedIsOffOrFirst) {
  EXPECT_FALSE(parse_config("")->log_allowed);
  EXPECT_TRUE(parse_config("log-allowed = first")->log_allowed);
  EXPECT_FALSE(parse_config("log-allowed = first\nlog-allowed = off")->log_allowed);
  for (const char* text : {"log-allowed = on", "log-allowed ="}) EXPECT_FALSE(parse_config(text)) << text;
}

}  // namespace
}  // namespace diglim
