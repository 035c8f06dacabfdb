// SPDX-License-Identifier: Apache-2.0
// The keeper: a process that writes the events of the BPF programs to the kernel log. It works without files
// and without the rest of user space. Guards keep others from signalling or tracing it. The kernel itself can
// end or freeze it (cgroup.kill); then the next loader starts another keeper.
#pragma once

#include <optional>
#include <string>

#include "loader/kernel/events.h"
#include "loader/kernel/lease.h"
#include "loader/kernel/maps.h"
#include "loader/kernel/programs.h"

namespace diglim {

// At boot: forks the keeper and waits until the kernel has noted it. The keeper inherits the links. If the
// kernel loses the thread that holds them by a fault of its own, they are still there. `events` were opened
// before `programs` were attached, since the keeper has no rights of its own.
Result<void> start_keeper(const Programs& programs, Events& events);

// Later: if there is no keeper, starts one in a new process and does not wait for it. The caller learns
// nothing, since the keeper is not his concern; the new process logs success or failure. REQUIRES: the
// loader's rights; without them it does nothing.
void ensure_keeper();

// The process id of the keeper, by its name, or nothing. For callers without rights in the kernel, who have
// only the name to go by. Only a process of root counts, and nothing that it says may be trusted further.
std::optional<pid_t> find_keeper();

// How many denials have no line in the log although no limit held them back, and why. Empty: none.
std::string not_logged_text(const Lease::Holder& keeper, const KernelState& state);

}  // namespace diglim
