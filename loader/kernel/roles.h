// SPDX-License-Identifier: Apache-2.0
// Which processes are the loader, to the kernel (bpf/role.bpf.h). REQUIRES: the loader's rights.
#pragma once

#include <sys/types.h>

#include "bpf/abi.h"
#include "lib/base/file.h"

namespace diglim {

// The map of roles, for has_role(), which then needs no further rights.
Result<Fd> open_roles();

// This process is the loader from now on, until it ends or executes something else. `program`:
// Programs::role_fd().
Result<void> take_role(const Fd& program);

// Is the process with this id the loader, and alive? Also true if /proc does not tell.
bool has_role(const Fd& roles, uint32_t pid);

}  // namespace diglim
