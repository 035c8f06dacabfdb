// SPDX-License-Identifier: Apache-2.0
// One event as one line of the log.
#pragma once

#include <string>

#include "bpf/abi.h"

namespace diglim {

// "denied exec /tmp/x: not on any digest list; sha256:9f.. pid 12 uid 0 sh"; "would deny ..." when
// permissive. All text from outside is escaped, the digest cut to its algorithm's size.
std::string event_line(const diglim_event& event);

// The path as people write it: "/usr/bin/x"; with ".../" in front if it was longer than the kernel recorded.
// Escaped.
std::string event_path(const diglim_event& event);

}  // namespace diglim
