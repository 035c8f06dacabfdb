// SPDX-License-Identifier: Apache-2.0
// Inside lib/tpm: the counter of counter.h in the TPM. The contracts of the first three are those of Tpm.
#pragma once

#include "lib/tpm/counter.h"
#include "lib/tpm/esys.h"

namespace diglim {

Result<uint64_t> make_counter(TpmConnection& tpm, uint32_t index);
Result<uint64_t> read_counter(const TpmConnection& tpm, uint32_t index);
Result<uint64_t> advance_counter(TpmConnection& tpm, uint32_t index, uint64_t value);

// Goes on with the policy of `session`. False: the counter has passed the limit, or there is none.
Result<bool> follow_counter(const TpmConnection& tpm, const Handle& session, const CounterLimit& limit);

}  // namespace diglim
