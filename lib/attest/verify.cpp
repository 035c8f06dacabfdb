// SPDX-License-Identifier: Apache-2.0
#include "lib/attest/verify.h"

#include "lib/attest/evidence.h"
#include "lib/attest/state.h"

namespace diglim {
namespace {

Verdict verify(const AttestationRequest& request, const VerifierPolicy& policy, ManifestStore* store) {
  Verdict verdict;
  Evidence evidence;
  if (!establish_evidence(request, policy, evidence, verdict)) return verdict;
  verdict.authentic = true;
  judge_state(evidence, policy, store, verdict);
  return verdict;
}

}  // namespace

Verdict verify_attestation(const AttestationRequest& request, const VerifierPolicy& policy) {
  return verify(request, policy, nullptr);
}

Verdict Verifier::verify(const AttestationRequest& request) {
  return diglim::verify(request, policy_.of(request.machine), &store_);
}

Result<void> Verifier::know(ByteView manifest) {
  TRY_ASSIGN(const auto judged, judge_manifest(manifest, policy_.base()));
  judged->content = to_bytes(manifest);
  store_.keep(HashAlgo::kSha256, judged->sha256, policy_.base(), judged);
  return {};
}

}  // namespace diglim
