// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/digest_list/signed_grant.h"
#include "tools/diglim/doctor/checks.h"

namespace diglim::doctor {

void check_grants(const Host& host, const TrustStore& trust, Findings& findings) {
  const GrantsRead read = read_grants(host.path(kGrantedFolder), trust);
  Finding bad{"grants.left_out",
              Level::kWarn,
              "",
              fmt::format("remove them from {}, or make them anew: diglim key add -k KEY", kGrantedFolder),
              {}};
  for (const Error& error : read.left_out) add_item(bad, error.message);
  bad.what = bad.count == 1 ? "1 statement that grants keys does not count"
                            : fmt::format("{} statements that grant keys do not count", bad.count);
  if (bad.count > 0) findings.push_back(bad);
  Finding alone{"grants", Level::kWarn, "", "diglim key list, then diglim key add or diglim key remove", {}};
  for (const Grant& grant : read.grants) {
    const auto file = TrustStore::keys_of_file(grant.keys);
    for (const TrustedKey& key : file ? file->keys : std::vector<TrustedKey>())
      add_item(alone, fmt::format("{}, by {}", key.fingerprint, grant.signer));
  }
  alone.what = fmt::format(
      "{} granted, and not trusted from the boot on: what they signed is denied until diglim-repair.service "
      "runs, and in containers",
      alone.count == 1 ? "1 key is" : fmt::format("{} keys are", alone.count));
  if (alone.count > 0) findings.push_back(alone);
}

}  // namespace diglim::doctor
