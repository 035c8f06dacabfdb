// SPDX-License-Identifier: Apache-2.0
// The roles of processes. REQUIRES: the loader's rights.
#pragma once

#include <sys/types.h>

#include "bpf/abi.h"
#include "lib/base/file.h"

namespace diglim {

// The map of roles, for the two functions that follow, which then need no further rights.
Result<Fd> open_roles();

// Gives a running process of one thread a role, until it ends or executes something else.
Result<void> set_role(const Fd& roles, pid_t pid, diglim_role role);

// Has this process the role? False for one that is gone.
bool has_role(const Fd& roles, uint32_t pid, diglim_role role);

}  // namespace diglim
