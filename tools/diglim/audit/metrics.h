// SPDX-License-Identifier: Apache-2.0
// The state as OpenMetrics text 1.0. Pure.
#pragma once

#include <string>
#include <string_view>

#include "tools/diglim/audit/facts.h"

namespace diglim::audit {

// Counters begin anew with each boot. What is not known has no sample. Types are counter and gauge alone:
// node_exporter's textfile collector, which reads an older format, takes these.
std::string openmetrics(const Facts& facts);

// A label's value, with \, " and line ends escaped, and each byte that is not UTF-8 as U+FFFD.
std::string label_value(std::string_view text);

}  // namespace diglim::audit
