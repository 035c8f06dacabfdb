// SPDX-License-Identifier: Apache-2.0
// Monitor mode as `diglim-loader status --json` tells of it. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace diglim::monitor {

struct Standing {
  std::string mode;     // of the machine: "enforce"
  std::string allowed;  // who may begin it: "off", "signed", "root"
  uint64_t left = 0;    // seconds; 0: it is not on
  std::string reason;   // of the last one, printable
  uint64_t times = 0;   // how often it was begun in this boot
  std::string boot;     // what a statement has to name
  uint64_t boot_seconds = 0;
};

// kCorrupt: not what a loader of this version prints.
Result<Standing> read_standing(std::string_view status);

// "monitors for another 29 min, because: no login". REQUIRES: left > 0.
std::string on_text(const Standing& standing);

// What `diglim monitor` prints.
std::string describe(const Standing& standing);

}  // namespace diglim::monitor
