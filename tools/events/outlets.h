// SPDX-License-Identifier: Apache-2.0
// The outlets that there are. Each says by its result whether the event is where it belongs.
#pragma once

#include <string>
#include <vector>

#include "tools/events/config.h"
#include "tools/events/outlet.h"

namespace diglim::events {

Outlet::Write write_journal();
// AUDIT_ANOM_EXEC: `ausearch -m ANOM_EXEC` and `aureport --anomaly` know it, no rule asks for it, and no tool
// reads it as a message of SELinux, as they do USER_AVC.
Outlet::Write write_audit();
Outlet::Write write_syslog(const std::string& socket = "/dev/log");
Outlet::Write write_json_file(const std::string& path);
Outlet::Write write_json_socket(const std::string& path);

struct NamedWrite {
  std::string name;
  Outlet::Write write;
};
std::vector<NamedWrite> outlets_of(const Config& config);

// The text of an audit record.
std::string audit_text(const Event& event, uint64_t lost);

}  // namespace diglim::events
