// SPDX-License-Identifier: Apache-2.0
// The denials in the log of this machine.
#pragma once

#include <string>
#include <vector>

#include "lib/events/denial.h"

namespace diglim::explain {

struct LoggedDenial {
  Denial denial;
  uint64_t time_us = 0;  // since 1970; 0: the line does not say
};

struct Log {
  std::vector<LoggedDenial> denials;  // oldest first
  std::string source;                 // "the journal", "the kernel's buffer", a file; for people
  size_t not_understood = 0;          // lines of denials that were cut, or that another version wrote
  std::string complaint;              // what kept it from reading more, printable; or empty
};

// The newest `most` denials. `file`: a saved log, "-" is standard input; empty: the journal, all boots, and
// what the kernel alone sent to it; where there is no journal, the kernel's own buffer.
Log read_log(const std::string& file, size_t most);

}  // namespace diglim::explain
