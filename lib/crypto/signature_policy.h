// SPDX-License-Identifier: Apache-2.0
// Which signatures count, apart from who made them.
#pragma once

#include <vector>

#include "lib/crypto/hash.h"

namespace diglim {

struct SignaturePolicy {
  // Weak hash algorithms (md5, sha1, rmd160) that the configuration allows in signatures, by name. Empty by
  // default: such a signature does not count, whoever made it.
  std::vector<HashAlgo> allowed_weak_hashes;

  // SHA-2 always; md5, sha1 and rmd160 only if named above.
  bool allows(HashAlgo algo) const;
};

}  // namespace diglim
