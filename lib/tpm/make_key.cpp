// SPDX-License-Identifier: Apache-2.0
#include "lib/tpm/make_key.h"

#include "lib/tcg/marshal.h"
#include "lib/tpm/keys.h"

namespace diglim {
namespace {

Result<TPM2B_PUBLIC> key_template(SigningKeyKind kind, ByteView policy) {
  TPM2B_PUBLIC sized = {};
  TPMT_PUBLIC& area = sized.publicArea;
  area.nameAlg = TPM2_ALG_SHA256;
  area.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN |
                          TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_NODA;
  // With a policy it is the only way.
  if (policy.empty()) area.objectAttributes |= TPMA_OBJECT_USERWITHAUTH;
  TRY(fill(area.authPolicy.size, area.authPolicy.buffer, policy));
  const bool ecc = kind == SigningKeyKind::kEcP256 || kind == SigningKeyKind::kEcP384;
  // No scheme of its own: TLS says with each signature which.
  if (ecc) {
    area.type = TPM2_ALG_ECC;
    TPMS_ECC_PARMS& details = area.parameters.eccDetail;
    details.symmetric.algorithm = TPM2_ALG_NULL;
    details.scheme.scheme = TPM2_ALG_NULL;
    details.curveID = kind == SigningKeyKind::kEcP256 ? TPM2_ECC_NIST_P256 : TPM2_ECC_NIST_P384;
    details.kdf.scheme = TPM2_ALG_NULL;
    return sized;
  }
  area.type = TPM2_ALG_RSA;
  TPMS_RSA_PARMS& details = area.parameters.rsaDetail;
  details.symmetric.algorithm = TPM2_ALG_NULL;
  details.scheme.scheme = TPM2_ALG_NULL;
  details.keyBits = kind == SigningKeyKind::kRsa2048 ? 2048 : 3072;
  return sized;
}

}  // namespace

Result<KeyFile> make_signing_key(TpmConnection& tpm, SigningKeyKind kind, ByteView policy) {
  TRY_ASSIGN(const TPM2B_PUBLIC area, key_template(kind, policy));
  TRY_ASSIGN(const TpmKey parent, load_storage_key(tpm));
  TRY_ASSIGN(const Handle session, start_session(tpm, TPM2_SE_HMAC));
  const TPM2B_SENSITIVE_CREATE no_password = {};
  const TPM2B_DATA outside = {};
  const TPML_PCR_SELECTION no_pcrs = {};
  TPM2B_PRIVATE* private_part = nullptr;
  TPM2B_PUBLIC* public_part = nullptr;
  TRY(tpm_check("make a key", Esys_Create(tpm.context(), parent.handle.get(), session.get(), ESYS_TR_NONE,
                                          ESYS_TR_NONE, &no_password, &area, &outside, &no_pcrs,
                                          &private_part, &public_part, nullptr, nullptr, nullptr)));
  const EsysPtr<TPM2B_PRIVATE> free_private(private_part);
  const EsysPtr<TPM2B_PUBLIC> free_public(public_part);
  KeyFile key;
  TRY_ASSIGN(key.public_part, marshal(*public_part, "public part", Tss2_MU_TPM2B_PUBLIC_Marshal));
  TRY_ASSIGN(key.private_part, marshal(*private_part, "private part", Tss2_MU_TPM2B_PRIVATE_Marshal));
  return key;
}

}  // namespace diglim
