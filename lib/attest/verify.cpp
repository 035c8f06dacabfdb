// SPDX-License-Identifier: Apache-2.0
#include "lib/attest/verify.h"

#include "lib/attest/evidence.h"
#include "lib/attest/state.h"

namespace diglim {

Verdict verify_attestation(const AttestationRequest& request, const VerifierPolicy& policy) {
  Verdict verdict;
  Evidence evidence;
  if (!establish_evidence(request, policy, evidence, verdict)) return verdict;
  verdict.authentic = true;
  judge_state(evidence, policy, verdict);
  return verdict;
}

}  // namespace diglim
