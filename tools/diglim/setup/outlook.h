// SPDX-License-Identifier: Apache-2.0
// What would become of this machine if it enforced.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/diglim/scan/report.h"
#include "tools/diglim/setup/plan.h"

namespace diglim::setup {

struct Outlook {
  std::vector<std::string> against;  // what stands against enforcing, as lines for people
  std::optional<scan::Report> scan;  // nothing: it was skipped, or there are no packages to compare with
};

// Lists and boot settings are what setup is about to make. `plan`: whose keys will be trusted besides those
// that are. Errors: no folder for these keys can be made; those of scan::run().
Result<Outlook> look_ahead(const RecordedHost& host, const Plan& plan, const Options& options);

}  // namespace diglim::setup
