// SPDX-License-Identifier: Apache-2.0
// How often the programs ran, and what that cost, as the kernel counts it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/base/result.h"

namespace diglim {

struct ProgramRuns {
  std::string name;   // "diglim_exec"
  uint64_t runs = 0;  // while kernel.bpf_stats_enabled was 1
  uint64_t ns = 0;    // in these
};

// Does the kernel count now (kernel.bpf_stats_enabled)?
bool counts_runs();

// Each of our programs, by the kernel's ids; the oldest of a name counts. A program that cannot be opened is
// left out. REQUIRES: the loader's rights.
std::vector<ProgramRuns> read_runs();

}  // namespace diglim
