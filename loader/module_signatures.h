// SPDX-License-Identifier: Apache-2.0
// Does the kernel itself refuse modules that no key of its own signed? Then a module may come from memory
// (init_module(2), as kmod does for compressed ones), where there is no file to hash.
#pragma once

#include <string_view>

namespace diglim {

// From the contents of /sys/module/module/parameters/sig_enforce and /sys/kernel/security/lockdown; an empty
// text is a file that does not exist. Both can only be switched on while the kernel runs (module_param
// bool_enable_only; lock_kernel_down()), so what was true once stays true.
bool module_signatures_enforced(std::string_view sig_enforce, std::string_view lockdown);

// Reads these two files.
bool kernel_enforces_module_signatures();

}  // namespace diglim
