// SPDX-License-Identifier: Apache-2.0
// /run/diglim/state: lines "key = value" for programs that read files (OVAL, Ansible). Pure.
#pragma once

#include <string>

#include "tools/diglim/audit/facts.h"

namespace diglim::audit {

// Each key once, each value on its line. What is not known has no line: nobody shall take a 0 for "none".
std::string state_text(const Facts& facts);
// The same as one line of JSON: an object with the same keys, numbers as such.
std::string state_json(const Facts& facts);

}  // namespace diglim::audit
