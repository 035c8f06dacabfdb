// SPDX-License-Identifier: Apache-2.0
// One event as one line of the log, and its parts as text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bpf/abi.h"

namespace diglim {

// Stands where the middle of a path is missing. escape() writes no such thing.
constexpr std::string_view kMiddleMissing = "\\...";

// "denied exec /tmp/x: not on any digest list; sha256:9f..; pid 12 uid 0 event 3f2a91bc-57 command sh";
// "would deny ..." when permissive, "allowed ..." without a reason. All text from outside is escaped, the
// digest cut to its algorithm's size. `boot` as in event_id.h; `lost`: how many denials before it have no
// line, which it says then. At most 880 bytes, and 1,900 as the kernel shows them: it refuses longer ones, so
// a path may lack its middle (kMiddleMissing).
std::string event_line(const diglim_event& event, std::string_view boot = {}, uint64_t lost = 0);

// Parts of it. What was tried: "exec", "load"; of a guard in words. Why it was denied; empty if it was not.
std::string event_what(const diglim_event& event);
std::string event_why(const diglim_event& event);
std::string event_use(const diglim_event& event);     // what the kernel loads: "module"; empty: not known
std::string event_digest(const diglim_event& event);  // "sha256:HEX"; empty: it was not hashed

// As people write it: "/usr/bin/x"; with "..." in front if it was longer than the kernel recorded. Escaped.
std::string event_path(const diglim_event& event);
std::string event_exe(const diglim_event& event);     // empty: a thread of the kernel
std::string event_cgroup(const diglim_event& event);  // "/" is the root of the hierarchy
std::string event_text(const char (&field)[16]);      // command, parent_command, file_system

}  // namespace diglim
