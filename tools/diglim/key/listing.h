// SPDX-License-Identifier: Apache-2.0
// `diglim key list`: the keys that count, and those of others that do not.
#pragma once

#include <string>

#include "tools/diglim/key/sources.h"

namespace diglim::key {

// Prints them, as text or JSON. The exit status: 0, or 3 with a message if they cannot be read.
int list_keys(const Places& places, bool json);

// One key, as the list has it.
void print_key(const KeyInfo& info, const std::string& origin);

}  // namespace diglim::key
