// SPDX-License-Identifier: Apache-2.0
#include "loader/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "loader/verbs.h"

namespace diglim {
namespace {

using testing::ElementsAre;
using testing::Pair;

const VerbUsage kUsage = {"the help\n", "file", {{"json", false}, {"keys", true}}};

CommandLine parse(std::vector<std::string> words, const VerbUsage& usage = kUsage) {
  words.insert(words.begin(), "verb");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  return parse_command_line(static_cast<int>(words.size()), argv.data(), usage);
}

TEST(Options, OptionsAndOperandsInAnyOrder) {
  const CommandLine line = parse({"a", "--keys", "x", "--json", "--keys=y", "--", "--json"});
  EXPECT_EQ(line.exit, -1);
  EXPECT_THAT(line.options, ElementsAre(Pair("keys", "x"), Pair("json", ""), Pair("keys", "y")));
  EXPECT_THAT(line.operands, ElementsAre("a", "--json"));
}

TEST(Options, OneLineForAMistake) {
  const std::pair<std::vector<std::string>, std::string> kMistakes[] = {
      {{"--frob", "a"}, "unknown option --frob"},
      {{"--frob=1", "a"}, "unknown option --frob"},
      {{"a", "-x"}, "unknown option -x"},
      {{"-xh"}, "unknown option -x"},
      {{"a", "-\n"}, "unknown option -\\n"},
      {{"a", "--keys"}, "--keys needs a value"},
      {{"--json=1", "a"}, "no value expected for --json"},
      {{"--json"}, "no file given"},
  };
  for (const auto& [words, message] : kMistakes) {
    testing::internal::CaptureStderr();
    EXPECT_EQ(parse(words).exit, kExitUsage);
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "diglim-loader verb: " + message + "; try --help\n");
  }
  testing::internal::CaptureStderr();
  EXPECT_EQ(parse({"a\n"}, {"", nullptr, {}}).exit, kExitUsage);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "diglim-loader verb: unexpected \"a\\n\"; try --help\n");
}

TEST(Options, HelpWins) {
  for (const char* help : {"-h", "--help"}) {
    testing::internal::CaptureStdout();
    EXPECT_EQ(parse({"a", help, "--frob"}).exit, kExitOk);
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "the help\n");
  }
}

}  // namespace
}  // namespace diglim
