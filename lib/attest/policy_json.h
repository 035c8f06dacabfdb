// SPDX-License-Identifier: Apache-2.0
// For what reads policies: the JSON of one, parsed.
#pragma once

#include <nlohmann/json.hpp>

#include "lib/attest/policy.h"

namespace diglim {

// kInvalid: longer than kMaxPolicyBytes, or nested too deeply; kCorrupt: no JSON object.
Result<nlohmann::json> parse_policy(std::string_view text);

// As read_policy(). REQUIRES: an object.
Result<VerifierPolicy> read_policy_object(const nlohmann::json& object);

}  // namespace diglim
