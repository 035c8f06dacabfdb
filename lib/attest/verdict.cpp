// SPDX-License-Identifier: Apache-2.0
#include "lib/attest/verdict.h"

#include <algorithm>

namespace diglim {

bool Verdict::incomplete() const {
  // What a manifest that is not there may have caused: a chain with a gap, a removal or a deny list unknown.
  const auto may_go = [](const Finding& finding) {
    switch (finding.reason) {
      case Reason::kManifestMissing:
      case Reason::kManifestChain:
      case Reason::kListUntrusted:
      case Reason::kVersionTooOld:
      case Reason::kRevocationsTooOld:
        return true;
      default:
        return false;
    }
  };
  return authentic && !lacks.empty() && not_listed == 0 &&
         std::all_of(findings.begin(), findings.end(), may_go);
}

}  // namespace diglim
