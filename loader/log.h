// SPDX-License-Identifier: Apache-2.0
// The kernel log, which needs no file system and no running service.
#pragma once

#include <string>

namespace diglim {

// One line into it, with a priority of syslog(3) (LOG_ERR, ...), "diglim: " before it. Falls back to standard
// error. Returns an errno if the log did not take it, else 0. REQUIRES: printable text; one thread.
int log_line(int priority, const std::string& line);

}  // namespace diglim
