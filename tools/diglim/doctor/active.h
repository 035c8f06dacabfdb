// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "tools/diglim/doctor/finding.h"

namespace diglim::doctor {

// What `diglim-loader status --json` printed, as a finding. Nothing: it failed, so DIGLIM is not active.
Finding active_by_status(const std::optional<std::string>& status);

// Has all that was denied its line, and does whoever wants whole events get them? Nothing: not active.
std::optional<Finding> log_by_status(const std::optional<std::string>& status);

}  // namespace diglim::doctor
