// SPDX-License-Identifier: Apache-2.0
// Inside lib/tpm: keys for others' protocols. The contract is that of Tpm::make_signing_key().
#pragma once

#include "lib/tpm/esys.h"
#include "lib/tpm/key_file.h"
#include "lib/tpm/tpm.h"

namespace diglim {

Result<KeyFile> make_signing_key(TpmConnection& tpm, SigningKeyKind kind, ByteView policy);

}  // namespace diglim
