// SPDX-License-Identifier: Apache-2.0
// What became of the events, in /run/diglim/events.state: for `diglim-events --status`, and for the next
// process of this boot, which goes on counting.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tools/events/outlet.h"

namespace diglim::events {

// JSON: {"boot", "pid", "stopped", "not_understood", "outlets": [{"name", "written", "lost", "queued",
// ...}]}.
std::string state_text(const std::string& boot, uint64_t not_understood, bool stopped,
                       const std::vector<std::unique_ptr<Outlet>>& outlets);

// By the outlets' names. Nothing of another boot, and of what is damaged.
std::map<std::string, Outlet::State> parse_state(std::string_view text, std::string_view boot);

// The same for people, one outlet a line. `lost`: whether any has lost or refuses events. `is_locked`:
// whether a process of this program runs as far as the caller can see; it is asked only if there is one of
// that number, which may be another's by now.
std::string status_text(std::string_view text, const std::function<bool()>& is_locked, bool& lost);

}  // namespace diglim::events
