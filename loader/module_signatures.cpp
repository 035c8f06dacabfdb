// SPDX-License-Identifier: Apache-2.0
#include "loader/module_signatures.h"

#include "lib/base/file.h"
#include "lib/base/text.h"

namespace diglim {

bool module_signatures_enforced(std::string_view sig_enforce, std::string_view lockdown) {
  return trim(sig_enforce) == "Y" || lockdown.find("[integrity]") != std::string_view::npos ||
         lockdown.find("[confidentiality]") != std::string_view::npos;
}

bool kernel_enforces_module_signatures() {
  const auto sig_enforce = read_stream("/sys/module/module/parameters/sig_enforce", 64);
  const auto lockdown = read_stream("/sys/kernel/security/lockdown", 256);
  return module_signatures_enforced(sig_enforce ? as_text(*sig_enforce) : std::string_view(),
                                    lockdown ? as_text(*lockdown) : std::string_view());
}

}  // namespace diglim
