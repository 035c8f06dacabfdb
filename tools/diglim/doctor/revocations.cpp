// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "lib/digest_list/signed_deny_list.h"
#include "tools/diglim/doctor/checks.h"

namespace diglim::doctor {

void check_revocations(const Host& host, const Config& config, TrustStore& trust, Findings& findings) {
  const std::string folder = host.path(kRevokedFolder);
  const auto read = read_deny_lists(folder, trust);
  if (!read) {
    findings.push_back({"revocations",
                        Level::kUnknown,
                        "the deny lists cannot be read: " + read.error().message,
                        "run this as root",
                        {}});
    return;
  }
  Finding bad{"revocations.left_out",
              Level::kFail,
              "",
              "diglim revoke list; put them back from a copy, or remove them",
              {}};
  for (const Error& error : read->left_out) add_item(bad, error.message);
  bad.what = fmt::format("{} deny lists do not count: what they revoke is trusted", bad.count);
  if (bad.count > 0) findings.push_back(bad);
  Finding good{"revocations", Level::kOk, "", "", {}};
  for (const SignedDenyList& one : trust.denials().lists())
    add_item(good, fmt::format("{}, serial {}: {} entries", one.list.name, one.list.serial,
                               one.list.denials.size()));
  good.what = fmt::format("{} deny list{}", good.count, good.count == 1 ? " counts" : "s count");
  if (good.count == 0) return;
  findings.push_back(good);
  const bool has_tpm = !host.names("/sys/class/tpm").empty();
  if (has_tpm && config.measures()) return;
  findings.push_back(
      {"revocations.rollback",
       Level::kWarn,
       fmt::format("nothing notices if a deny list is gone, or an older one, after a reboot: {}",
                   has_tpm ? "nothing is measured" : "there is no TPM"),
       has_tpm ? "measure = on in /etc/diglim/loader.conf, and a verifier with minimum_serials, or what is "
                 "sealed to authorizations that end (diglim pcr counter)"
               : "keep root from the initramfs: Secure Boot with a signed unified kernel image",
       {}});
}

}  // namespace diglim::doctor
