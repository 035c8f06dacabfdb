// SPDX-License-Identifier: Apache-2.0
// The public area of an ECDSA key, as a TPM sees it.
#pragma once

#include "lib/tcg/marshal.h"

namespace diglim {

// On P-256, with SHA-256. `x` and `y`: the point, 32 bytes each, big endian. kInvalid: longer.
inline Result<TPM2B_PUBLIC> ecdsa_p256_public(TPMA_OBJECT attributes, ByteView x, ByteView y) {
  TPM2B_PUBLIC sized = {};
  TPMT_PUBLIC& area = sized.publicArea;
  area.type = TPM2_ALG_ECC;
  area.nameAlg = TPM2_ALG_SHA256;
  area.objectAttributes = attributes;
  TPMS_ECC_PARMS& details = area.parameters.eccDetail;
  details.symmetric.algorithm = TPM2_ALG_NULL;
  details.scheme.scheme = TPM2_ALG_ECDSA;
  details.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
  details.curveID = TPM2_ECC_NIST_P256;
  details.kdf.scheme = TPM2_ALG_NULL;
  TRY(fill(area.unique.ecc.x.size, area.unique.ecc.x.buffer, x));
  TRY(fill(area.unique.ecc.y.size, area.unique.ecc.y.buffer, y));
  return sized;
}

}  // namespace diglim
