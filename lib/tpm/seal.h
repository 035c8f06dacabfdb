// SPDX-License-Identifier: Apache-2.0
// Inside lib/tpm: sealing to registers. The contracts are those of Tpm::seal() and Tpm::unseal().
#pragma once

#include "lib/tpm/esys.h"
#include "lib/tpm/sealed.h"

namespace diglim {

Result<SealedObject> seal_secret(TpmConnection& tpm, ByteView secret, const SealPolicy& policy);

// `now`: what the registers of object.policy.selection hold.
Result<Bytes> unseal_secret(TpmConnection& tpm, const SealedObject& object,
                            const std::map<unsigned, Bytes>& now,
                            const std::vector<Authorization>& authorizations);

}  // namespace diglim
