// SPDX-License-Identifier: Apache-2.0
// An AppArmor profile that permits nothing and that nobody has: its name is a label for IMA's rules.
#pragma once

#include <string_view>

#include "lib/base/bytes.h"

namespace diglim {

// `profile NAME { }` as the kernel takes it in one write of apparmor/.load in securityfs
// (security/apparmor/policy_unpack.c, interface version 5): no rules at all, so whoever enters it can open,
// execute and map nothing. REQUIRES: a name of less than 65535 bytes, without NUL.
Bytes empty_profile(std::string_view name);

}  // namespace diglim
