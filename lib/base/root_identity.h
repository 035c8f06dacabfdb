// SPDX-License-Identifier: Apache-2.0
// Which system a root directory is: this one, or another (an image, a container, the chroot that this process
// is in), whose lists the kernel keeps apart (`diglim-loader sync --root`).
#pragma once

#include <string>

#include "lib/base/result.h"

namespace diglim {

// Empty: this system, which is sure: this process sees the first pid namespace, and PID 1 has that root. Else
// what tells it from others, the same each time. To take another one for this system would withdraw all of
// this system's lists. Errors: kIo, kNotFound.
Result<std::string> root_identity(const std::string& root);

}  // namespace diglim
