// SPDX-License-Identifier: Apache-2.0
// How a host is, in five lines. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace diglim::state {

struct Facts {
  bool is_root = false;
  std::optional<std::string>
      status;              // of `diglim-loader status --json`; nothing: it is not active, or was not asked
  bool is_set_up = false;  // for the next boot
  std::string watch;       // "enforces after 3 more clean days"; empty: it will not by itself
  size_t exceptions = 0;
  uint64_t next_end = 0;        // of the exception that ends first; 0: none does
  std::string last_denied;      // path, or what was tried; empty: nothing in the log
  uint64_t last_denied_at = 0;  // seconds since 1970; 0: not known
};

struct Summary {
  std::vector<std::string> lines;  // five, printable
  std::string next;                // what to do, one line
  bool good = false;               // enforces or measures, and loses no denial
};

Summary summarize(const Facts& facts);

}  // namespace diglim::state
