// SPDX-License-Identifier: Apache-2.0
// How far the running kernel keeps root out of itself: lockdown, and signed modules.
#pragma once

#include <string_view>

namespace diglim {

constexpr char kLockdownFile[] = "/sys/kernel/security/lockdown";
constexpr char kSigEnforceFile[] = "/sys/module/module/parameters/sig_enforce";

// In the order of strength.
enum class Lockdown { kAbsent, kNone, kIntegrity, kConfidentiality };

// From the content of kLockdownFile; an empty text is a file that does not exist. A level of another name
// counts as kNone (the kernel has these three: lockdown_levels, security/lockdown/lockdown.c).
Lockdown lockdown_of(std::string_view text);

// Does the kernel itself refuse modules that no key of its own signed? Then a module may come from memory
// (init_module(2), as kmod does for compressed ones), where there is no file to hash. From the contents of
// both files; an empty text is a file that does not exist. Both can only be switched on while the kernel runs
// (module_param bool_enable_only; lock_kernel_down()), so what was true once stays true.
bool module_signatures_enforced(std::string_view sig_enforce, std::string_view lockdown);

// The same, of the running kernel. REQUIRES: /sys and securityfs mounted, else the answer is the weaker one.
Lockdown kernel_lockdown();
bool kernel_enforces_module_signatures();

}  // namespace diglim
