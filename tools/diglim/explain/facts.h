// SPDX-License-Identifier: Apache-2.0
// Reads what `explain` has to know of a file.
#pragma once

#include <string>

#include "tools/diglim/explain/advice.h"
#include "tools/diglim/host.h"

namespace diglim::explain {

// `path`: absolute, as the system has it. `system` was read of the same host. What cannot be read is left
// out: without root, who has the file open. Links are followed, as the kernel does.
Facts read_facts(const Host& host, const known::System& system, const std::string& path);

}  // namespace diglim::explain
