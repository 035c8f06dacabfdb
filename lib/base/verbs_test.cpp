// SPDX-License-Identifier: Apache-2.0
#include "lib/base/verbs.h"

#include <gtest/gtest.h>

#include <vector>

#include "lib/base/exit_status.h"

namespace diglim {
namespace {

int nothing(int, char**) {
  return 0;
}

constexpr Verb kVerbs[] = {{"go", "go on", false, nothing}, {"initialize", "begin", true, nothing}};
constexpr VerbProgram kProgram = {"tool", "tool 1", "tool(1)", "0 ok.", kVerbs};

VerbChoice choose(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  return choose_verb(kProgram, arguments);
}

TEST(Verbs, ChoosesByTheFirstArgument) {
  const VerbChoice choice = choose({"initialize", "--help"});
  EXPECT_EQ(choice.verb, &kVerbs[1]);
  EXPECT_EQ(choice.out + choice.err, "");
}

TEST(Verbs, HelpNamesAll) {
  const VerbChoice choice = choose({"--help", "go"});
  EXPECT_EQ(choice.verb, nullptr);
  EXPECT_EQ(choice.exit, kExitOk);
  EXPECT_EQ(choice.out,
            "Usage: tool VERB [OPTION]...\n       tool --help | --version\n\nVerbs:\n  go         go on\n"
            "  initialize begin\n\n`tool VERB --help` and tool(1) say more.\n\nExit status: 0 ok.\n");
  EXPECT_EQ(choose({"-h"}).out, choice.out);
  EXPECT_EQ(choose({"--version"}).out, "tool 1\n");
}

TEST(Verbs, HelpGroups) {
  constexpr Verb kGrouped[] = {{"a", "one", false, nothing, "For some"},
                               {"b", "two", false, nothing, "For some"},
                               {"c", "three", false, nothing, "For others"}};
  char help[] = "--help";
  char* const words[] = {help};
  EXPECT_NE(
      choose_verb({"tool", "1", "tool(1)", "0 ok.", kGrouped}, words)
          .out.find("\n\nFor some:\n  a        one\n  b        two\n\nFor others:\n  c        three\n\n"),
      std::string::npos);
}

TEST(Verbs, RefusesOthers) {
  EXPECT_EQ(choose({}).exit, kExitUsage);
  EXPECT_EQ(choose({}).err, choose({"-h"}).out);
  EXPECT_EQ(choose({"g\no"}).err, "tool: unknown verb g\\no; try --help\n");
  EXPECT_EQ(choose({"--go"}).err, "tool: unknown option --go; try --help\n");
  EXPECT_EQ(choose({"go "}).exit, kExitUsage);
}

}  // namespace
}  // namespace diglim
