// SPDX-License-Identifier: Apache-2.0
// The second half of the verifier: is what the log and the manifests say accepted?
#pragma once

#include "lib/attest/evidence.h"
#include "lib/attest/manifest_store.h"

namespace diglim {

// Adds a finding for each thing that the policy does not accept, and what the evidence says of boot, lists
// and unknown files. REQUIRES: establish_evidence() returned true. `store`, if not null, has manifests that
// the bundle may leave out, and is given those of a machine that is trusted; REQUIRES: all in it were judged
// by this policy.
void judge_state(const Evidence& evidence, const VerifierPolicy& policy, ManifestStore* store,
                 Verdict& verdict);

}  // namespace diglim
