// SPDX-License-Identifier: Apache-2.0
#include "policy/lockdown.h"

#include <string>

#include "lib/base/file.h"
#include "lib/base/text.h"

namespace diglim {
namespace {

std::string read_text(const char* path) {
  const auto bytes = read_stream(path, 256);
  return bytes ? std::string(as_text(*bytes)) : std::string();
}

}  // namespace

Lockdown lockdown_of(std::string_view text) {
  if (text.find("[confidentiality]") != std::string_view::npos) return Lockdown::kConfidentiality;
  if (text.find("[integrity]") != std::string_view::npos) return Lockdown::kIntegrity;
  return text.empty() ? Lockdown::kAbsent : Lockdown::kNone;
}

bool module_signatures_enforced(std::string_view sig_enforce, std::string_view lockdown) {
  return trim(sig_enforce) == "Y" || lockdown_of(lockdown) >= Lockdown::kIntegrity;
}

Lockdown kernel_lockdown() {
  return lockdown_of(read_text(kLockdownFile));
}

bool kernel_enforces_module_signatures() {
  return module_signatures_enforced(read_text(kSigEnforceFile), read_text(kLockdownFile));
}

}  // namespace diglim
