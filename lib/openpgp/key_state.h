// SPDX-License-Identifier: Apache-2.0
// state_at() of certificate.h, and what keeps a Key in order for it.
#pragma once

#include "lib/openpgp/certificate.h"

namespace diglim::openpgp {

// Sorts what was said of the key and fills in its newest state. To be called whenever statements or
// soft_revocations were added.
void settle(Key& key);

}  // namespace diglim::openpgp
