// SPDX-License-Identifier: Apache-2.0
// Inside lib/tpm: the keys in the TPM, and the sessions that are salted with one. All are primary keys made
// from seeds by fixed templates: the same each time, nothing to store. Errors: kIo with the TPM's own words.
#pragma once

#include "lib/tpm/esys.h"

namespace diglim {

struct TpmKey {
  Handle handle;
  Bytes public_area;  // TPM2B_PUBLIC
};

// Into `tpm`, at the first call. kUntrusted: it is not the expected one.
Result<void> load_ek(TpmConnection& tpm);
// Its certificate in NV, DER; empty if there is none.
Bytes read_ek_certificate(const TpmConnection& tpm);

Result<TpmKey> load_ak(TpmConnection& tpm);
Result<TpmKey> load_storage_key(TpmConnection& tpm);
// kNotFound: there is none at that handle.
Result<TpmKey> load_persistent_key(TpmConnection& tpm, TPM2_HANDLE handle);

// Salted with the endorsement key, parameters encrypted both ways. `type`: TPM2_SE_HMAC or TPM2_SE_POLICY.
Result<Handle> start_session(TpmConnection& tpm, TPM2_SE type);
// The same with another key, a decryption key, and these attributes.
Result<Handle> start_session(TpmConnection& tpm, const Handle& salt_key, TPM2_SE type,
                             TPMA_SESSION attributes);

}  // namespace diglim
