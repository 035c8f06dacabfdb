// SPDX-License-Identifier: Apache-2.0
// The keeper: a process that holds the links to the BPF programs, as the pins do, and writes their events to
// the kernel log. It needs neither files nor a working user space. Guards keep others from signalling or
// tracing it.
#pragma once

#include "loader/kernel/programs.h"

namespace diglim {

// Forks it. The child never returns. REQUIRES: attached programs.
Result<pid_t> start_keeper(Programs& programs);

// One line into the kernel log, with the priority of syslog(3) ("<3>" is an error). Falls back to standard
// error.
void log_line(int priority, const std::string& line);

}  // namespace diglim
