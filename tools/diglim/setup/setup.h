// SPDX-License-Identifier: Apache-2.0
// The two halves of `diglim setup`.
#pragma once

#include "tools/diglim/setup/plan.h"

namespace diglim::setup {

// What a human or a script is told afterwards.
struct Report {
  std::vector<std::string> done;
  std::vector<std::string> to_do;  // commands that were not run (another root), things that were left alone
};

// Carries the plan out, step by step; the first error ends it. The changes until then stay recorded.
Result<Report> carry_out(RecordedHost& host, const Plan& plan, const Options& options);

// Monitor, then enforce: one look whether the host is clean (setup/clean.h). Once it has been for long
// enough, the next boot enforces; if it is not so any more before that boot, it does not. Gives what is to be
// said.
Result<std::string> watch_once(RecordedHost& host, const Options& options);

// Undoes all that the record tells of, the command line first. Goes on after an error of one file and gives
// the first error at the end; then the record stays.
Result<Report> undo(RecordedHost& host, const Options& options);

}  // namespace diglim::setup
