// SPDX-License-Identifier: Apache-2.0
// JSON text sequences (RFC 7464), as systemd keeps its log of measurements.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "lib/base/result.h"

namespace diglim {

constexpr char kRecordSeparator = '\x1e';

// kCorrupt, with the number of the record: one that is no object. Empty ones are passed over.
Result<std::vector<nlohmann::json>> read_json_sequence(std::string_view text);

}  // namespace diglim
