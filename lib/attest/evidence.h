// SPDX-License-Identifier: Apache-2.0
// The first half of the verifier: is a bundle evidence of what a TPM holds?
#pragma once

#include "lib/attest/bundle.h"
#include "lib/attest/verify.h"

namespace diglim {

struct Evidence {
  BundleView bundle;  // into the request's
};

// Fills `evidence` and what it says of the quote, and returns true; or adds one finding and returns false.
bool establish_evidence(const AttestationRequest& request, const VerifierPolicy& policy, Evidence& evidence,
                        Verdict& verdict);

}  // namespace diglim
