// SPDX-License-Identifier: Apache-2.0
// Has the kernel follow what was changed on the disk.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace diglim::allow {

struct Applied {
  int status = 0;                  // exit status
  std::vector<std::string> lines;  // what went wrong, and what to do
  std::string when;                // completes "withdrew 1 exception": from when on
};

// One sync of /etc/digest_lists. `wanted`: a list that has to be in force afterwards; or empty. Another
// root's kernel is not told. `loader`: a program in place of diglim-loader. `refused`: what to say after the
// loader's reasons if it does not take `wanted` (kExitRejected).
Applied apply(const std::string& root, const std::string& loader, const std::string& wanted,
              std::string_view refused =
                  "the running kernel does not take it yet: a key that was added "
                  "counts from the next boot on");

// Starts the service that waits for the ends (`diglim allow expire --wait`) anew. It looks at the exceptions
// as soon as nobody has the store for writing, so whoever changes them calls this while he has it, before the
// change. False: there is no systemd to do it.
bool restart_waiting();

}  // namespace diglim::allow
