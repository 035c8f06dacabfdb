// SPDX-License-Identifier: Apache-2.0
// A verdict for people and for programs.
#pragma once

#include <string>
#include <string_view>

#include "lib/attest/verdict.h"
#include "lib/base/json.h"

namespace diglim {

// "trusted", "incomplete" (send what is lacking), "refused".
std::string_view status_of(const Verdict& verdict);

// "sha256:9f86...", as `diglim attest quote --send` takes it.
std::string name_of(const MissingManifest& manifest);

// The members of the verdict's object; begin and end are the caller's.
void add_verdict(JsonWriter& json, const Verdict& verdict);
std::string verdict_text(const Verdict& verdict);  // lines

}  // namespace diglim
