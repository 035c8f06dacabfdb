// SPDX-License-Identifier: Apache-2.0
// What a scan says: which files would be denied, grouped as people look at them. Pure.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "tools/diglim/known/cause.h"
#include "tools/diglim/scan/files.h"

namespace diglim::scan {

struct Item {
  std::string path;
  Kind kind = Kind::kNone;
  known::Cause cause = known::Cause::kForeign;
  std::string package;  // NVRA; empty: none
  std::string digest;   // raw
  std::string why;      // the verifier's or the kernel's words, printable; often empty
};

struct Group {
  std::string name;  // unescaped
  size_t count = 0;
  std::string first;  // path of one of them
};

struct Report {
  std::string root;  // as the user named it
  HashAlgo algo = HashAlgo::kSha256;
  size_t files = 0;  // that count
  size_t known = 0;
  std::vector<Item> denied;  // by path; also what could not be read
  std::vector<RefusedMount> refused;
  std::vector<std::string> unreadable;  // directories
  std::vector<std::string> notes;
  size_t from_cache = 0;
  uint64_t hashed_bytes = 0;
  double seconds = 0;
};

Report make_report(const known::System& system, Found found);

size_t count_of(const Report& report, known::Cause cause);
// Of one cause, most first.
std::vector<Group> by_package(const Report& report, known::Cause cause);    // "" for those of none
std::vector<Group> by_directory(const Report& report, known::Cause cause);  // the first three components
std::vector<Group> by_directory(const Report& report);

// 1 if something would be denied, 3 if not but something could not be read, else 0.
int exit_status(const Report& report);

std::string to_text(const Report& report, bool all);  // `all`: each file
std::string to_json(const Report& report);
std::string to_html(const Report& report);

}  // namespace diglim::scan
