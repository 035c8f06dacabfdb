// SPDX-License-Identifier: Apache-2.0
// A bundle as Keylime's verifier takes it in one request: POST /v2.5/verify/evidence, type "tpm"
// (docs/rest_apis/2_5/verifier.rst, and check_quote() in keylime/tpm/tpm_main.py).
#pragma once

#include <string>

#include "lib/attest/bundle.h"

namespace diglim {

struct KeylimeRequest {
  ByteView bundle;
  ByteView nonce;
  ByteView ek;  // TPM2B_PUBLIC, of the enrolment; Keylime hands it on and does not look at it
  std::string_view runtime_policy;  // JSON, as of `diglim attest keylime-policy`
};

// JSON, with a line feed. Nothing is judged here. Errors as view_bundle() and ImaLogReader; kUnsupported:
// what Keylime cannot take (another bank than SHA-256, a template whose fields it would read otherwise, a
// line feed in a path).
Result<std::string> keylime_evidence(const KeylimeRequest& request);

}  // namespace diglim
