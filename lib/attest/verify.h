// SPDX-License-Identifier: Apache-2.0
// The verifier: from a bundle to a verdict. No TPM, no files, no privileges; thread-safe.
#pragma once

#include "lib/attest/policy.h"
#include "lib/attest/verdict.h"

namespace diglim {

constexpr size_t kMinNonceBytes = 8;
constexpr size_t kMaxNonceBytes = 64;  // what any TPM takes: the size of its largest digest

struct AttestationRequest {
  ByteView bundle;
  ByteView ak;     // the enrolled key, TPM2B_PUBLIC
  ByteView nonce;  // that was sent; REQUIRES: random, at least kMinNonceBytes, never used before
};

// Never fails: what is wrong with the bundle is a finding. First whether it is evidence at all (one finding,
// and no further look), then whether what it shows is accepted (every finding).
Verdict verify_attestation(const AttestationRequest& request, const VerifierPolicy& policy);

}  // namespace diglim
