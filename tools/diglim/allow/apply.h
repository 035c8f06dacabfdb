// SPDX-License-Identifier: Apache-2.0
// Has the kernel follow what was changed on the disk.
#pragma once

#include <string>
#include <vector>

namespace diglim::allow {

struct Applied {
  int status = 0;                  // exit status
  std::vector<std::string> lines;  // what went wrong, and what to do
  std::string when;                // completes "withdrew 1 exception": from when on
};

// One sync of /etc/digest_lists. `wanted`: a list that has to be in force afterwards; or empty. Another
// root's kernel is not told. `loader`: a program in place of diglim-loader.
Applied apply(const std::string& root, const std::string& loader, const std::string& wanted);

// Starts or stops the timer that runs `diglim allow expire`. False: there is no systemd to do it.
bool set_timer(bool run);

}  // namespace diglim::allow
