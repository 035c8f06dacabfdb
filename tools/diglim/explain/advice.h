// SPDX-License-Identifier: Apache-2.0
// What a denial means, and the one command that would change it. Pure: facts come in, words go out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/events/denial.h"
#include "tools/diglim/explain/nature.h"
#include "tools/diglim/known/cause.h"

namespace diglim::explain {

struct Holder {
  uint32_t pid = 0;
  std::string command;  // unescaped
};

// A package of the same name that has this content at this path's package, found in a cache of packages.
struct OtherVersion {
  std::string nevra;
  int order = 0;  // below zero: older than what is installed
};

// A file as it is now.
struct Facts {
  std::string path;  // unescaped
  bool exists = false;
  std::string type;  // "a program", "a script for /bin/sh", "a directory", ...; empty: it does not exist
  std::string unreadable;  // why, printable; empty: it was read
  Bytes digest;            // empty: it was not
  HashAlgo algo = HashAlgo::kSha256;
  known::Verdict verdict;   // of that content
  std::string list;         // kNone: which list has it, unescaped
  std::string package;      // NVRA that the verdict is about, or that ships the path; empty: none
  std::string package_why;  // why it does not count, printable
  std::string package_key;  // the key of rpm's that signed it, if it is not trusted: "gpg-pubkey-..."
  bool too_large = false;   // above 4 GiB: not read
  bool only_root = false;   // nobody but root may write to it, or to a directory above it
  std::optional<OtherVersion> other;
  std::string
      refusal;  // why nothing runs from its mount (tools/diglim/mount_rules.h); empty: nothing against it
  std::string mount_point;
  std::optional<Elf> elf;
  std::string machine;        // this one's, as uname has it; empty: not known
  uint64_t size = 0;          // bytes
  uint64_t shipped_size = 0;  // what its package shipped; 0: none, or not known
  uint64_t written_at = 0;    // seconds since 1970; 0: not known
  std::string_view tool;      // config_tool()
  std::string interpreter;    // of a script or a program, with links followed, unescaped; empty: none
  bool interpreter_missing = false;
  known::Cause interpreter_cause = known::Cause::kNone;  // why it would be denied; kNone: it would not
  std::vector<Holder> writers;                           // who has it open for writing
  std::vector<Holder> mappers;                           // who has it mapped executable
};

struct Explanation {
  std::string id;                 // for scripts: the reason's and the cause's name, "unknown/changed"
  std::vector<std::string> what;  // sentences, printable
  std::string command;            // for a shell; empty: none would change it, and `meaning` says why
  std::string meaning;            // of the command
};

// `denial` null: what would become of the file now.
Explanation explain(const Denial* denial, const Facts& facts);

// It does not start on this machine, whatever DIGLIM says.
bool cannot_start(const Facts& facts);

// Has the reason an explanation of its own? For the test that asks for each.
bool has_explanation(diglim_reason reason);

// "hello" of "hello-2.0-1.x86_64".
std::string name_of_package(const std::string& nvra);

}  // namespace diglim::explain
