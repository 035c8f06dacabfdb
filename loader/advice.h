// SPDX-License-Identifier: Apache-2.0
// What an admin can do about an error: the next step, in one clause.
#pragma once

#include <string>

#include "lib/base/error.h"

namespace diglim {

// For a digest list that was refused: "; NEXT STEP", or nothing if the reason says it all.
std::string list_advice(const Error& error);

}  // namespace diglim
