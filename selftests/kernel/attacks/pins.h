// SPDX-License-Identifier: Apache-2.0
// What the attacks on processes and BPF objects share.
#pragma once

#include "selftests/kernel/attacks/attack.h"

namespace attacks {

// Is DIGLIM there at all? If not, something else stands in for what is attacked: the positive control.
bool diglim_is_there();

// Ends the keeper by cgroup.kill: harmless() if it died. With DIGLIM off a decoy stands in for it.
Report kill_keeper();

// Is the text in the kernel log?
bool is_in_log(const char* text);

}  // namespace attacks
