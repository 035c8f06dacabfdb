// SPDX-License-Identifier: Apache-2.0
// What the loader has to do with IMA (decision D9).
#pragma once

#include <string_view>

#include "lib/base/result.h"

namespace diglim {

// May an IMA policy have been in force before this process began, so that IMA collected digests of files?
// True when in doubt. REQUIRES: /proc and securityfs mounted.
bool ima_was_active();

// Makes `text` the IMA policy; where the kernel takes only one (Debian's does), nobody can load another until
// the next boot. It takes the place of what ima_policy= on the kernel command line chose, not of rules that
// the kernel was built with. kIo: refused; the message says why. REQUIRES: less than a page of text.
Result<void> write_ima_policy(std::string_view text);

}  // namespace diglim
