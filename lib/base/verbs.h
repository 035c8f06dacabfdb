// SPDX-License-Identifier: Apache-2.0
// A program that does one of several things, by its first argument.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace diglim {

struct Verb {
  std::string_view name;
  std::string_view summary;  // one line, for --help
  bool privileged;           // for the program to act on
  int (*run)(int argc, char** argv);
  std::string_view group = {};  // "For developers"; verbs of one stand together; empty: there are none
};

struct VerbProgram {
  std::string_view name;     // "diglim-loader"
  std::string_view version;  // a line without its end
  std::string_view page;     // of the manual
  std::string_view status;   // what the exit statuses mean
  std::span<const Verb> verbs;
};

// What the program is to do: `verb`, or without one to print both texts and exit.
struct VerbChoice {
  const Verb* verb = nullptr;
  int exit = 0;     // of lib/base/exit_status.h
  std::string out;  // for standard output
  std::string err;  // for standard error
};

// From the first of `arguments`, which is a verb, --help, -h or --version; anything else, or none at all, is
// an error of usage.
VerbChoice choose_verb(const VerbProgram& program, std::span<char* const> arguments);

}  // namespace diglim
