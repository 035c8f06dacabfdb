// SPDX-License-Identifier: Apache-2.0
// The verifier: from a bundle to a verdict. No TPM, no files, no privileges; thread-safe.
#pragma once

#include "lib/attest/fleet_policy.h"
#include "lib/attest/manifest_store.h"
#include "lib/attest/verdict.h"

namespace diglim {

constexpr size_t kMinNonceBytes = 8;
constexpr std::string_view kNonceReusedText = "this nonce was used before: send a new one";
constexpr size_t kMaxNonceBytes = 64;  // what any TPM takes: the size of its largest digest

struct AttestationRequest {
  ByteView bundle;
  ByteView ak;               // the enrolled key, TPM2B_PUBLIC
  ByteView nonce;            // that was sent; REQUIRES: random, at least kMinNonceBytes, never used before
  std::string machine = {};  // by which a FleetPolicy knows it
};

// Never fails: what is wrong with the bundle is a finding. First whether it is evidence at all (one finding,
// and no further look), then whether what it shows is accepted (every finding).
Verdict verify_attestation(const AttestationRequest& request, const VerifierPolicy& policy);

// The same for many machines. It keeps the manifests of those that it trusts, so it judges each once, and a
// bundle may leave out what it has; Verdict::lacks says what it has not. Thread-safe.
class Verifier {
 public:
  explicit Verifier(FleetPolicy policy) : policy_(std::move(policy)) {}

  Verdict verify(const AttestationRequest& request);
  // A manifest that a machine may have, by its SHA-256, before any has sent it. kInvalid if OpenSSL fails.
  // One that cannot be read does no harm: who measured it is refused.
  Result<void> know(ByteView manifest);

 private:
  const FleetPolicy policy_;
  ManifestStore store_;
};

}  // namespace diglim
