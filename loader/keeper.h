// SPDX-License-Identifier: Apache-2.0
// The keeper: a process that holds the links to the BPF programs, as the pins do, and writes their events to
// the kernel log. It needs neither files nor a working user space. Guards keep others from signalling or
// tracing it.
#pragma once

#include <optional>

#include "loader/kernel/programs.h"

namespace diglim {

// Forks it. The child never returns. REQUIRES: attached programs.
Result<pid_t> start_keeper(Programs& programs);

// The process id of the keeper, by its name, or nothing. Without rights in the kernel that is all there is to
// go by: only a process of root's counts, and what is read from it must not be trusted further.
std::optional<pid_t> find_keeper();

// One line into the kernel log, with the priority of syslog(3) ("<3>" is an error). Falls back to standard
// error.
void log_line(int priority, const std::string& line);

}  // namespace diglim
