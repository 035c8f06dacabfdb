// SPDX-License-Identifier: Apache-2.0
// The checks of `diglim doctor`, by subject. None changes anything; what cannot be read is kUnknown.
#pragma once

#include "tools/diglim/doctor/finding.h"
#include "tools/diglim/doctor/host.h"

namespace diglim::doctor {

// Does the running kernel have what DIGLIM's programs need?
void check_kernel(const Host& host, Findings& findings);
// What root could do without lockdown, signed modules, Secure Boot, an enforcing SELinux.
void check_protection(const Host& host, Findings& findings);
// Mounted file systems from which nothing could run.
void check_file_systems(const Host& host, Findings& findings);

}  // namespace diglim::doctor
