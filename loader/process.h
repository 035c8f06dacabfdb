// SPDX-License-Identifier: Apache-2.0
// Processes as /proc shows them to this process, in its pid namespace and mount namespace.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace diglim {

// The first process of this name whose status has `line`, or nothing.
std::optional<pid_t> find_process(const std::string& name, const std::string& line);

}  // namespace diglim
