// SPDX-License-Identifier: Apache-2.0
// The keeper: a process that holds the links to the BPF programs, as the pins do, and writes their events to
// the kernel log. It needs neither files nor a working user space. Guards keep others from signalling or
// tracing it; the kernel itself can end it (cgroup.kill), and then the next loader starts another.
#pragma once

#include <optional>

#include "loader/kernel/events.h"
#include "loader/kernel/programs.h"

namespace diglim {

// At boot: forks the keeper. The child never returns; it inherits the links. `events` and `roles` were opened
// before `programs` were attached, since this process has no rights of its own.
Result<pid_t> start_keeper(const Programs& programs, Events& events, const Fd& taker);

// Later: starts another one if there is none, in a process of its own that this one does not wait for. Says
// nothing, whatever comes of it, since it is nobody's first concern; that process logs what happens.
// REQUIRES: the loader's rights, or it does nothing.
void ensure_keeper();

// The process id of the keeper, by its name, or nothing. Without rights in the kernel that is all there is to
// go by: only a process of root's counts, and what is read from it must not be trusted further.
std::optional<pid_t> find_keeper();

// For a process that stays: by this name, which begins with "@", in a session of its own, deaf to signals and
// with no standard streams.
void become_daemon(const char* name);

// One line into the kernel log, with the priority of syslog(3) ("<3>" is an error). Falls back to standard
// error.
void log_line(int priority, const std::string& line);

}  // namespace diglim
