// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/doctor/checks.h"

namespace diglim::doctor {

Findings check_all(const Host& host, const ContentOptions& options) {
  Findings findings;
  check_kernel(host, findings);
  check_protection(host, findings);
  check_file_systems(host, findings);
  check_boot(host, findings);
  check_chain(host, findings);
  check_selinux(host, findings);
  check_plugin(host, findings);
  check_content(host, options, findings);
  return findings;
}

}  // namespace diglim::doctor
