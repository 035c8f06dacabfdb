// SPDX-License-Identifier: Apache-2.0
// A whole scan: what a system knows, its files, and what would become of them. For `scan` and `setup`.
#pragma once

#include <string>
#include <vector>

#include "tools/diglim/known/read.h"
#include "tools/diglim/scan/report.h"

namespace diglim::scan {

struct RunOptions {
  known::ReadOptions read;
  FindOptions find;
  std::string cache;  // file; empty: every file is read
};

// Complaints about the cache go to standard error with `tool` in front. Errors: the keys cannot be read.
Result<Report> run(std::string_view tool, const Host& host, const RunOptions& options);

// Where the digests are kept if nobody says otherwise; made with the directories above it, which only their
// owner may write. Empty: there is no place.
std::string default_cache();

// Which files of the report keep an installed system from working as before: those below /usr, but for
// /usr/local, and below /bin, /sbin and /lib, where packages put theirs. Those whose list `setup` makes do
// not count.
size_t count_of_system(const Report& report);

}  // namespace diglim::scan
