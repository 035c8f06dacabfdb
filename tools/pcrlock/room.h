// SPDX-License-Identifier: Apache-2.0
// What is left out where systemd-pcrlock has no room for all.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/pcrlock/images.h"
#include "tools/pcrlock/values.h"

namespace diglim::pcrlock {

constexpr size_t kMostValues = 8;  // of a register that systemd-pcrlock takes

// The register that has more; none: there is room. `own` (IMA's) comes last: what the others have no room for
// takes none of it either.
std::optional<unsigned> too_many(const Values& values, unsigned own);

// Leaves out what is least important of what has values of that register: what opens late, then other volumes
// than the root, then an image. REQUIRES: `images`, the most important first, have as many states as are
// told. Returns what was left out, and why. Nothing: what is left has to stay.
std::optional<std::string> leave_out(std::vector<Image>& images, unsigned number, unsigned own);

}  // namespace diglim::pcrlock
