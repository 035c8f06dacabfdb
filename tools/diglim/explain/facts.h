// SPDX-License-Identifier: Apache-2.0
// Reads what `explain` has to know of a file.
#pragma once

#include <string>

#include "tools/diglim/explain/advice.h"
#include "tools/diglim/explain/holders.h"
#include "tools/diglim/host.h"

namespace diglim::explain {

// `path`: absolute, without links. `system` was read of the same host. What cannot be read is left out:
// without root, who has the file open. Of a path whose beginning is missing nothing is read. `denial` null:
// of each file what there is. `holders` are asked only if the reason makes them matter.
Facts read_facts(const Host& host, const known::System& system, const Denial* denial, const std::string& path,
                 Holders& holders);

}  // namespace diglim::explain
