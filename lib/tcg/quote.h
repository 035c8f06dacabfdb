// SPDX-License-Identifier: Apache-2.0
// What a TPM signs: quotes, and the keys that sign them (TCG TPM 2.0 Library, part 2, sections 10.12
// and 12.2). tss2-mu takes the bytes apart; no TPM is needed.
#pragma once

#include "lib/base/bytes.h"
#include "lib/crypto/hash.h"
#include "lib/crypto/openssl.h"
#include "lib/tcg/pcr.h"

namespace diglim {

// As a TPM hands it out.
struct SignedQuote {
  Bytes attest;     // TPMS_ATTEST
  Bytes signature;  // TPMT_SIGNATURE
  Bytes ak;         // TPM2B_PUBLIC
};

// What a TPMS_ATTEST says.
struct Quote {
  Bytes nonce;             // extraData
  PcrSelection selection;  // exactly one bank
  Bytes pcr_digest;
  uint64_t clock_ms = 0;
  uint32_t resets = 0;    // TPM resets: boots
  uint32_t restarts = 0;  // since the last reset: resumes
  bool clock_safe = false;
  uint64_t firmware_version = 0;
};

enum class QuoteFault { kMalformed, kMagic, kType };  // not a TPMS_ATTEST; not made inside a TPM; no quote
// `attest` is a TPMS_ATTEST without a size in front. On an error `fault` says of which kind it is.
Result<Quote> parse_quote(ByteView attest, QuoteFault& fault);

// A key that signs only what its TPM made itself.
struct AttestationKey {
  PkeyPtr key;
  Bytes name;                         // nameAlg || H(public area), which enrolment binds to the EK
  HashAlgo hash = HashAlgo::kSha256;  // of its signing scheme
  bool rsa_pss = false;               // RSA keys: RSAPSS instead of RSASSA
};

// A TPM2B_PUBLIC, and nothing after it. kCorrupt; kUnsupported: not RSA or ECC P-256/P-384 with a fixed
// scheme over SHA-2; kUntrusted: a key that is not restricted to signing, or that could leave its TPM.
Result<AttestationKey> parse_attestation_key(ByteView public_area);

// The name of any TPM2B_PUBLIC.
Result<Bytes> tpm_name(ByteView public_area);

// `signature` is a TPMT_SIGNATURE over the hash of `attest`. kCorrupt: not one; kUnsupported: of another
// scheme or hash than the key's; kUntrusted: wrong.
Result<void> verify_quote_signature(const AttestationKey& key, ByteView attest, ByteView signature);

}  // namespace diglim
