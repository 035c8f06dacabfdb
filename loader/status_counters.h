// SPDX-License-Identifier: Apache-2.0
// The raw numbers in `status --json`; `diglim metrics` gives them their form.
#pragma once

#include "bpf/abi.h"
#include "lib/base/json.h"

namespace diglim {

// Inside an object: "verdicts" (what was hashed and decided), and "programs" (how often each ran), which is
// left out while the kernel does not count that.
void put_counters(JsonWriter& json, const diglim_counters& counters);

}  // namespace diglim
