// SPDX-License-Identifier: Apache-2.0
// Keys and signatures of a TPM in OpenSSL's forms.
#pragma once

#include <tss2/tss2_tpm2_types.h>

#include "lib/base/bytes.h"
#include "lib/crypto/openssl.h"

namespace diglim {

// RSA, or ECC P-256 and P-384; kUnsupported for others, kInvalid for a point that is none. `libctx`: whose
// provider makes it; null is the process's.
Result<PkeyPtr> openssl_public_key(const TPM2B_PUBLIC& area, OSSL_LIB_CTX* libctx = nullptr);

// DER for ECDSA, the number itself for RSA. kUnsupported: another scheme.
Result<Bytes> openssl_signature(const TPMT_SIGNATURE& signature);

}  // namespace diglim
