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
#include "tools/diglim/known/cause.h"

namespace diglim::audit {

using Document = nlohmann::ordered_json;

constexpr std::string_view kEvidenceFormat = "diglim-evidence-1";

// Which installed package ships what lies at a path.
struct Owner {
  std::string package;  // NVRA; empty: none
  bool came_later =
      false;  // than the denial, whose content it does not ship: of which one the file was then, nobody knows
  auto operator<=>(const Owner&) const = default;
};
Owner owner_of(const known::System& system, const explain::LoggedDenial& one);

// The denials of a log from `since` on, counted. `owner_of`: not asked where the path is cut. `incomplete`:
// some are missing in the log. Pure.
Document denials(const explain::Log& log, uint64_t since, bool incomplete,
                 const std::function<Owner(const explain::LoggedDenial&)>& owner_of);

// All of it but "denials" and "doctor".
Document evidence(const Host& host, const std::string& root, const Facts& facts);
Document findings(const doctor::Findings& findings);

// One line for each thing, each fit for a terminal. Pure; takes any JSON object.
std::string evidence_text(const Document& document);

}  // namespace diglim::audit
