// SPDX-License-Identifier: Apache-2.0
// Goal: nothing that a machine sends makes the verifier crash, and only what was signed is believed.
// Expected: a bundle that reads is written back the same; manifests and logs likewise; a verdict is never
// without a reason, and no input is trusted, since no seed carries a signature of the key asked for.
#include <cstdlib>

#include "lib/attest/bundle.h"
#include "lib/attest/keylime.h"
#include "lib/attest/verify.h"
#include "lib/manifest/reader.h"
#include "lib/tcg/event_log.h"
#include "lib/tcg/ima_log.h"

namespace diglim {
namespace {

void check(bool truth) {
  if (!truth) std::abort();
}

void read_log(ByteView bytes) {
  const auto events = read_ima_log(bytes);
  if (!events) {
    check(!events.error().message.empty());
    return;
  }
  PcrBank bank(HashAlgo::kSha256);
  (void)replay_ima_log(*events, bank);  // a template digest may be wrong
}

void read_all(ByteView file) {
  if (const auto manifest = read_manifest(file)) {
    const auto again = write_manifest(*manifest);
    check(again.has_value() && as_text(*again) == as_text(file));
  }
  read_log(file);
  (void)replay_event_log(file, HashAlgo::kSha256);  // both outcomes are fine
  (void)read_fleet_policy(as_text(file));
  (void)keylime_evidence({file, file, file, "{}"});
  (void)read_event_log(file, HashAlgo::kSha256);
  QuoteFault fault = QuoteFault::kMalformed;
  (void)parse_quote(file, fault);
  if (const auto key = parse_attestation_key(file)) check(!verify_quote_signature(*key, file, file));
  if (const auto bundle = read_bundle(file)) {
    const auto again = write_bundle(*bundle);
    check(again.has_value() && as_text(*again) == as_text(file));
    read_log(bundle->ima_log);
    // As if it were the enrolled key.
    const Verdict verdict = verify_attestation({file, bundle->ak, Bytes(20, 0)}, VerifierPolicy());
    check(!verdict.trusted() && !verdict.findings.empty());
  }
}

}  // namespace
}  // namespace diglim

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  return setenv("TSS2_LOG", "all+NONE", 1);  // tpm2-tss would print each refusal
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  diglim::read_all({data, size});
  return 0;
}
