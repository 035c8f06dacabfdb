// SPDX-License-Identifier: Apache-2.0
// An AppArmor profile that permits nothing and that nobody has: its name is a label for IMA's rules.
#pragma once

#include <string_view>

#include "lib/base/bytes.h"

namespace diglim {

// `profile NAME { }` as the kernel takes it (security/apparmor/policy_unpack.c, interface version 5): no
// rules at all, so whoever enters it can open, execute and map nothing.
Bytes empty_profile(std::string_view name);

// Gives the profile to the kernel. kNotFound: AppArmor does not run. REQUIRES: securityfs mounted.
Result<void> load_empty_profile(std::string_view name);

}  // namespace diglim
