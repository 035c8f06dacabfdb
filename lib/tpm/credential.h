// SPDX-License-Identifier: Apache-2.0
// TPM2_MakeCredential without a TPM: a secret that only the TPM with this endorsement key opens, and only if
// it holds the key of this name (TPM 2.0 Library, part 1, section 24 and annex B.10.4).
#pragma once

#include "lib/base/bytes.h"
#include "lib/crypto/openssl.h"

namespace diglim {

constexpr size_t kMaxCredentialSecret = 32;

// `ek`: TPM2B_PUBLIC, RSA with AES-128-CFB and SHA-256 (TCG EK Credential Profile, template L-1), and a
// restricted decryption key that cannot leave its TPM (kUntrusted otherwise).
Result<PkeyPtr> endorsement_public_key(ByteView ek);

// `secret`: 1 to 32 bytes. The result is a TPM2B_ID_OBJECT and a
// TPM2B_ENCRYPTED_SECRET, one after the other.
Result<Bytes> make_credential(ByteView ek, ByteView object_name, ByteView secret);

}  // namespace diglim
