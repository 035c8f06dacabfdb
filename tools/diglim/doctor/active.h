// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "tools/diglim/doctor/finding.h"

namespace diglim::doctor {

// What `diglim-loader status --json` printed, as a finding. Nothing: it failed, so DIGLIM is not active.
Finding active_by_status(const std::optional<std::string>& status);

}  // namespace diglim::doctor
