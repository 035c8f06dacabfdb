// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "policy/lockdown.h"
#include "tools/diglim/doctor/checks.h"

namespace diglim::doctor {
namespace {

constexpr std::string_view kSecureBoot =
    "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";

Finding lockdown(const Host& host) {
  const std::string levels = host.text(kLockdownFile).value_or("");
  if (lockdown_of(levels) == Lockdown::kAbsent) {
    return {"protection.lockdown",
            Level::kWarn,
            "lockdown is not there: root may write kernel memory and so switch DIGLIM off",
            "use a kernel with lockdown in lsm= and CONFIG_SECURITY_LOCKDOWN_LSM=y",
            {}};
  }
  if (lockdown_of(levels) >= Lockdown::kIntegrity) {
    return {"protection.lockdown", Level::kOk, "lockdown is on (" + escape(levels) + ")", "", {}};
  }
  return {"protection.lockdown",
          Level::kWarn,
          "lockdown is off: root may write kernel memory (/dev/mem, kexec, unsigned modules) and so switch "
          "DIGLIM off",
          "add lockdown=integrity to the kernel command line, or enable Secure Boot",
          {}};
}

void modules(const Host& host, Findings& findings) {
  if (enforces_module_signatures(host)) {
    findings.push_back({"protection.modules", Level::kOk, "only signed kernel modules are loaded", "", {}});
  } else {
    findings.push_back({"protection.modules",
                        Level::kWarn,
                        "kernel modules need no signature (DIGLIM still wants them on a list)",
                        "add module.sig_enforce=1 to the kernel command line",
                        {}});
  }
}

Finding secure_boot(const Host& host) {
  const auto bytes = read_stream(host.path(kSecureBoot), 16);
  // Four bytes of attributes, then the value.
  if (bytes && bytes->size() == 5 && (*bytes)[4] == 1) {
    return {"protection.secure_boot", Level::kOk, "Secure Boot is on", "", {}};
  }
  return {"protection.secure_boot",
          Level::kWarn,
          "Secure Boot is off: who changes the initramfs or the command line on disk decides the next boot",
          "enable it in the firmware's setup, with a signed unified kernel image (diglim setup install "
          "--uki); or "
          "seal secrets to the TPM",
          {}};
}

}  // namespace

bool enforces_module_signatures(const Host& host) {
  return module_signatures_enforced(host.text(kSigEnforceFile).value_or(""),
                                    host.text(kLockdownFile).value_or(""));
}

void check_protection(const Host& host, Findings& findings) {
  findings.push_back(lockdown(host));
  modules(host, findings);
  findings.push_back(secure_boot(host));
}

}  // namespace diglim::doctor
