// SPDX-License-Identifier: Apache-2.0
// Where the pass phrase of a signing key, or the PIN of its token, comes from.
#pragma once

#include <string>

#include "lib/cms/signing_key.h"

namespace diglim {

// The first of these that there is: the first line of `file` (its name; empty: none), $DIGLIM_PASSPHRASE, the
// terminal. `key` is for the question. Takes the variable out of the environment: what is run after that does
// not have it. REQUIRES: no other thread uses the environment.
Passphrase passphrase_for(const std::string& file, const std::string& key);

}  // namespace diglim
