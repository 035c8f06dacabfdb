// SPDX-License-Identifier: Apache-2.0
// The second half of the verifier: is what the log and the manifests say accepted?
#pragma once

#include "lib/attest/evidence.h"

namespace diglim {

// Adds a finding for each thing that the policy does not accept, and what the evidence says of boot, lists
// and unknown files. REQUIRES: establish_evidence() returned true.
void judge_state(const Evidence& evidence, const VerifierPolicy& policy, Verdict& verdict);

}  // namespace diglim
