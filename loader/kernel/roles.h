// SPDX-License-Identifier: Apache-2.0
// Which processes are the loader, to the kernel (bpf/role.bpf.h). REQUIRES: the loader's rights.
#pragma once

#include <sys/types.h>

#include "bpf/abi.h"
#include "lib/base/file.h"

namespace diglim {

// This process is the loader from now on, until it ends or executes something else. `program`:
// Programs::role_fd().
Result<void> take_role(const Fd& program);

}  // namespace diglim
