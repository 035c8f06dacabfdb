// SPDX-License-Identifier: Apache-2.0
// Holding on to the running programs: the roles of processes, and references to the links. By the maps' names
// and the kernel's ids, so that a keeper can start at any time. REQUIRES: the loader's rights.
#pragma once

#include <sys/types.h>

#include <vector>

#include "bpf/abi.h"
#include "lib/base/file.h"

namespace diglim {

// The map of roles, for the two functions that follow, which then need no further rights.
Result<Fd> open_roles();

// The program that gives a role to who runs it.
Result<Fd> open_role_taker();

// Gives this process a role, until it ends or executes something else.
Result<void> take_role(const Fd& taker, diglim_role role);

// Has this process the role? False for one that is gone.
bool has_role(const Fd& roles, uint32_t pid, diglim_role role);

// Is there a live keeper? Roles go with their processes, so the map knows.
bool has_keeper(const Fd& roles);

// A descriptor of each link that attaches a program of ours: as long as one of them is open, that program
// stays.
Result<std::vector<Fd>> open_links();

}  // namespace diglim
