// SPDX-License-Identifier: Apache-2.0
// Policy digests, computed without a TPM (TPM 2.0 Library, part 3, TPM2_PolicyPCR and TPM2_PolicyAuthorize).
// All SHA-256.
#pragma once

#include <tss2/tss2_tpm2_types.h>

#include "lib/tpm/sealed.h"

namespace diglim {

// Policy sessions of this project use SHA-256, whatever the bank.
Result<TPML_PCR_SELECTION> tpm_selection(const PcrSelection& selection);

// kInvalid if a value is missing.
Result<Bytes> policy_pcr_digest(const PcrSelection& selection, const std::map<unsigned, Bytes>& values);

// `key_name`: name of the public key that authorizes. `reference`: the policyRef, empty in this project's
// own.
Result<Bytes> policy_authorize_digest(ByteView key_name, ByteView reference = {});

// The policy that an authorization approves of: the registers have these values and, if it has a limit, the
// counter has not passed it. Its signature does not count here. kInvalid: as policy_pcr_digest().
Result<Bytes> approved_policy(const Authorization& authorization);

// What an authorization's signature is over: the approved policy (and an empty policyRef).
Result<Bytes> authorization_hash(ByteView approved);

}  // namespace diglim
