// SPDX-License-Identifier: Apache-2.0
// What has to be so before a key may be used, and whether another authorization lets it be used for less. A
// guard against a slip of whoever signs: PolicyAuthorize names no registers, so a TPM takes any of them.
#pragma once

#include <set>
#include <utility>

#include "lib/tpm/key_policy.h"

namespace diglim {

struct Asks {
  std::set<std::pair<TPM2_ALG_ID, unsigned>> registers;  // bank and number
  bool ends = false;                                     // by the TPM's counter
};

Asks asks_of(const PcrSelection& selection, bool ends);
Asks asks_of(const Authorization& authorization);
Asks asks_of(const PolicyWay& way);

// kUntrusted: `next` leaves out a register that `before` asks for, or does not end though that does.
Result<void> check_asks_no_less(const Asks& before, const Asks& next);

}  // namespace diglim
