// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace diglim::bench {

// Loads and attaches DIGLIM's programs, permissive, prints what each step cost, detaches them. REQUIRES:
// root, and no DIGLIM that runs. False, with a line on stderr, if a step failed.
bool measure_startup();

}  // namespace diglim::bench
