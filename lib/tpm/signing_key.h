// SPDX-License-Identifier: Apache-2.0
// The key that approves of PCR values: an OpenSSL key as the TPM sees it.
#pragma once

#include <tss2/tss2_tpm2_types.h>

#include <string>

#include "lib/base/bytes.h"
#include "lib/crypto/openssl.h"

namespace diglim {

// PEM. kCorrupt: none; kUnsupported: neither RSA of 2048 to 4096 bits with exponent 65537 nor ECDSA P-256.
Result<PkeyPtr> read_public_pem(std::string_view pem);
Result<PkeyPtr> read_private_pem(std::string_view pem);
Result<std::string> public_pem(EVP_PKEY* key);

// As TPM2_LoadExternal takes it. The same key gives the same bytes, hence the same name.
Result<TPM2B_PUBLIC> tpm_public_key(EVP_PKEY* key);
Result<Bytes> tpm_public_key_name(EVP_PKEY* key);

// Over a SHA-256 digest: DER or PKCS#1 v1.5, and as TPM2_VerifySignature takes it.
Result<Bytes> sign_digest(EVP_PKEY* key, ByteView digest);
// kUntrusted unless sign_digest() of that key made it.
Result<void> verify_digest(EVP_PKEY* key, ByteView digest, ByteView signature);
Result<TPMT_SIGNATURE> tpm_signature(EVP_PKEY* key, ByteView signature);

}  // namespace diglim
