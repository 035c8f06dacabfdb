// SPDX-License-Identifier: Apache-2.0
#include "lib/base/verbs.h"

#include <algorithm>

#include "lib/base/exit_status.h"
#include "lib/base/text.h"

namespace diglim {
namespace {

std::string help(const VerbProgram& program) {
  const std::string name(program.name);
  size_t width = 8;
  for (const Verb& verb : program.verbs) width = std::max(width, verb.name.size());
  std::string text = "Usage: " + name + " VERB [OPTION]...\n       " + name + " --help | --version\n";
  std::string_view group = "-";  // of none
  for (const Verb& verb : program.verbs) {
    if (verb.group != group)
      text.append("\n").append(verb.group.empty() ? "Verbs" : verb.group).append(":\n");
    group = verb.group;
    text.append("  ").append(verb.name).append(width - verb.name.size() + 1, ' ');
    text.append(verb.summary).append("\n");
  }
  text.append("\n`" + name + " VERB --help` and ").append(program.page).append(" say more.\n\nExit status: ");
  return text.append(program.status).append("\n");
}

}  // namespace

VerbChoice choose_verb(const VerbProgram& program, std::span<char* const> arguments) {
  if (arguments.empty()) return {nullptr, kExitUsage, "", help(program)};
  const std::string_view name = arguments[0];
  if (name == "--help" || name == "-h") return {nullptr, kExitOk, help(program), ""};
  if (name == "--version") return {nullptr, kExitOk, std::string(program.version) + "\n", ""};
  for (const Verb& verb : program.verbs) {
    if (verb.name == name) return {&verb, kExitOk, "", ""};
  }
  return {nullptr, kExitUsage, "",
          std::string(program.name) + ": unknown " + (name.starts_with('-') ? "option " : "verb ") +
              escape(name, 64) + "; try --help\n"};
}

}  // namespace diglim
