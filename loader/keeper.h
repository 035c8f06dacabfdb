// SPDX-License-Identifier: Apache-2.0
// The keeper: a process that writes the events of the BPF programs to the kernel log. It needs neither files
// nor a working user space. Guards keep others from signalling or tracing it; the kernel itself can end or
// freeze it (cgroup.kill), and then the next loader starts another.
#pragma once

#include <optional>
#include <string>

#include "loader/kernel/events.h"
#include "loader/kernel/lease.h"
#include "loader/kernel/maps.h"
#include "loader/kernel/programs.h"

namespace diglim {

// At boot: forks the keeper and waits until the kernel has noted it. It inherits the links, which costs
// nothing: should the kernel lose the thread that holds them by a fault of its own, they are still there.
// `events` were opened before `programs` were attached, since the keeper has no rights of its own.
Result<void> start_keeper(const Programs& programs, Events& events);

// Later: starts another one if there is none, in a process of its own that this one does not wait for. Says
// nothing, whatever comes of it, since it is nobody's first concern; that process logs what happens.
// REQUIRES: the loader's rights, or it does nothing.
void ensure_keeper();

// The process id of the keeper, by its name, or nothing. Without rights in the kernel that is all there is to
// go by: only a process of root's counts, and what is read from it must not be trusted further.
std::optional<pid_t> find_keeper();

// Are denials without lines in the log, though nobody wants that? How many, and why; empty if not.
std::string not_logged_text(const Lease::Holder& keeper, const KernelState& state);

}  // namespace diglim
