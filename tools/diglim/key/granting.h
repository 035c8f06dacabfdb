// SPDX-License-Identifier: Apache-2.0
// Changes in /etc/diglim/granted, and the running kernel with them. Results are exit statuses; what happened
// is told to `outcome`. `loader`: in place of the installed one; empty: that.
#pragma once

#include <string>
#include <vector>

#include "tools/diglim/key/outcome.h"
#include "tools/diglim/key/sources.h"
#include "tools/signer.h"

namespace diglim::key {

// A statement about this file, and in `signer` who signed it. Before anything is changed: a pass phrase that
// is wrong, or a key that nobody trusts, is an error.
Result<Bytes> sign_for(const Places& places, const Signer& key, const KeyFile& file, std::string& signer);

// Puts a statement there, for the trusted file of that name. Of one that the kernel does not take nothing is
// left: the next boot has the key itself.
int grant(const Places& places, const std::string& loader, Outcome& outcome, const std::string& key_name,
          ByteView statement, const std::string& signer);

// Removes what grants a key of these; true if there was such. The kernel does not know yet: follow().
bool take_back(const Places& places, Outcome& outcome, const std::vector<std::string>& fingerprints);

// What only a granted key signed is denied from now on.
int follow(const Places& places, const std::string& loader, Outcome& outcome);

}  // namespace diglim::key
