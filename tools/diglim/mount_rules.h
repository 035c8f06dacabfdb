// SPDX-License-Identifier: Apache-2.0
// From which mounted file systems something may run. The rules are the kernel programs' (bpf/content.bpf.h).
#pragma once

#include <string>

#include "tools/diglim/host.h"

namespace diglim {

// Why nothing runs from this mount: "nfs4, whose content can change unseen"; empty if it does. By names,
// which do not always tell the disk below: the kernel has the last word.
std::string refusal(const Mount& mount);

// One that shows the kernel's own state and never holds a program (proc, sysfs, cgroup2, ...).
bool is_of_kernel(const Mount& mount);

}  // namespace diglim
