// SPDX-License-Identifier: Apache-2.0
// The command line of one verb: long options, -h and --help, operands.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace diglim {

struct OptionSpec {
  const char* name;  // without "--"
  bool takes_value;
};

struct VerbUsage {
  const char* help;                           // all that --help prints
  const char* operands;                       // "file": at least one is needed; null: none may be given
  std::initializer_list<OptionSpec> options;  // besides --help
};

struct CommandLine {
  int exit = -1;                                                  // not -1: all is said, exit with it
  std::vector<std::pair<std::string_view, std::string>> options;  // name and value, in the order given
  std::vector<std::string> operands;
};

// Prints the help on stdout if asked for it, and one line on stderr for a mistake. argv[0] is the verb.
CommandLine parse_command_line(int argc, char** argv, const VerbUsage& usage);

// "diglim-loader VERB: message; try --help" on stderr. Gives the exit status for it.
int usage_error(std::string_view verb, std::string_view message);

}  // namespace diglim
