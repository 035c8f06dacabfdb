// SPDX-License-Identifier: Apache-2.0
#include "lib/crypto/signature_policy.h"

#include <algorithm>

namespace diglim {

bool SignaturePolicy::allows(HashAlgo algo) const {
  switch (algo) {
    case HashAlgo::kSha224:
    case HashAlgo::kSha256:
    case HashAlgo::kSha384:
    case HashAlgo::kSha512:
      return true;
    case HashAlgo::kMd5:
    case HashAlgo::kSha1:
    case HashAlgo::kRipemd160:
      break;  // and whatever else may come: only if named
  }
  return std::find(allowed_weak_hashes.begin(), allowed_weak_hashes.end(), algo) != allowed_weak_hashes.end();
}

}  // namespace diglim
