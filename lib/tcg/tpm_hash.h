// SPDX-License-Identifier: Apache-2.0
// Hash algorithms by the TPM's numbering.
#pragma once

#include <tss2/tss2_tpm2_types.h>

#include <optional>

#include "lib/crypto/hash.h"

namespace diglim {

inline std::optional<HashAlgo> hash_from_tpm(TPM2_ALG_ID id) {
  switch (id) {
    case TPM2_ALG_SHA1:
      return HashAlgo::kSha1;
    case TPM2_ALG_SHA256:
      return HashAlgo::kSha256;
    case TPM2_ALG_SHA384:
      return HashAlgo::kSha384;
    case TPM2_ALG_SHA512:
      return HashAlgo::kSha512;
    default:
      return std::nullopt;
  }
}

// REQUIRES: one of the above.
inline TPM2_ALG_ID hash_to_tpm(HashAlgo algo) {
  switch (algo) {
    case HashAlgo::kSha1:
      return TPM2_ALG_SHA1;
    case HashAlgo::kSha384:
      return TPM2_ALG_SHA384;
    case HashAlgo::kSha512:
      return TPM2_ALG_SHA512;
    default:
      return TPM2_ALG_SHA256;
  }
}

}  // namespace diglim
