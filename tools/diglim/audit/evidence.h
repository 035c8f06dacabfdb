// SPDX-License-Identifier: Apache-2.0
// What an auditor takes home: one JSON document (its fields: diglim-evidence(1)), and the same for people.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "tools/diglim/audit/facts.h"
#include "tools/diglim/doctor/finding.h"
#include "tools/diglim/explain/log.h"
#include "tools/diglim/host.h"

namespace diglim::audit {

using Document = nlohmann::ordered_json;

constexpr std::string_view kEvidenceFormat = "diglim-evidence-1";

// The denials of a log from `since` on, counted. `package_of(path)`: which package ships it; "" for none.
// `incomplete`: some are missing in the log. Pure.
Document denials(const explain::Log& log, uint64_t since, bool incomplete,
                 const std::function<std::string(const std::string&)>& package_of);

// All of it but "denials" and "doctor".
Document evidence(const Host& host, const std::string& root, const Facts& facts);
Document findings(const doctor::Findings& findings);

// One line for each thing, each fit for a terminal. Pure; takes any JSON object.
std::string evidence_text(const Document& document);

}  // namespace diglim::audit
