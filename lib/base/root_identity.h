// SPDX-License-Identifier: Apache-2.0
// Which system a root directory is: this one, or another (an image, a container, the chroot that this process
// is in), whose lists the kernel keeps apart (`diglim-loader sync --root`).
#pragma once

#include <cstdint>
#include <string>

#include "lib/base/result.h"

namespace diglim {

// Empty: this system, which is sure: this process sees the first pid namespace, and PID 1 has that root. Else
// what tells it from others, the same each time. To take another one for this system would withdraw all of
// this system's lists. Errors: kIo, kNotFound; kIo also where nobody can tell since this process may not look
// at PID 1 (CAP_SYS_PTRACE).
Result<std::string> root_identity(const std::string& root);

// The same, with other paths than / and those in /proc.
struct IdentityPaths {
  std::string own_root;
  std::string own_namespace;  // of processes
  uint64_t first_namespace;   // the inode of the first of these
  std::string first_root;     // of PID 1
  std::string own_mounts;     // the namespace of mounts
  std::string first_mounts;   // that of PID 1
};
Result<std::string> root_identity(const std::string& root, const IdentityPaths& paths);

}  // namespace diglim
