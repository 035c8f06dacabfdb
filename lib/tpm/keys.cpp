// SPDX-License-Identifier: Apache-2.0
#include "lib/tpm/keys.h"

#include "lib/crypto/hash.h"
#include "lib/tcg/marshal.h"

namespace diglim {
namespace {

constexpr TPM2_HANDLE kEkHandle = 0x81010001;            // TCG EK Credential Profile 2.3, section 2.2.1.4
constexpr TPM2_HANDLE kEkCertificateIndex = 0x01c00002;  // RSA 2048
constexpr std::string_view kAkLabel = "DIGLIM attestation key 1";
// PolicySecret(TPM_RH_ENDORSEMENT), the profile's PolicyA for SHA-256.
constexpr BYTE kEkPolicy[] = {0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a, 0x90, 0xcc,
                              0x8d, 0x46, 0xa5, 0xd7, 0x24, 0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52,
                              0x0b, 0x64, 0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa};

constexpr TPMA_OBJECT kStays =
    TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_RESTRICTED;

// Template L-1.
Result<TPM2B_PUBLIC> ek_template() {
  TPM2B_PUBLIC sized = {};
  TPMT_PUBLIC& area = sized.publicArea;
  area.type = TPM2_ALG_RSA;
  area.nameAlg = TPM2_ALG_SHA256;
  area.objectAttributes = kStays | TPMA_OBJECT_ADMINWITHPOLICY | TPMA_OBJECT_DECRYPT;
  TRY(fill(area.authPolicy.size, area.authPolicy.buffer, ByteView(kEkPolicy)));
  TPMS_RSA_PARMS& details = area.parameters.rsaDetail;
  details.symmetric = {TPM2_ALG_AES, {.aes = 128}, {.aes = TPM2_ALG_CFB}};
  details.scheme.scheme = TPM2_ALG_NULL;
  details.keyBits = 2048;
  area.unique.rsa.size = 256;
  return sized;
}

TPM2B_PUBLIC ecc_template(TPMA_OBJECT attributes) {
  TPM2B_PUBLIC sized = {};
  TPMT_PUBLIC& area = sized.publicArea;
  area.type = TPM2_ALG_ECC;
  area.nameAlg = TPM2_ALG_SHA256;
  area.objectAttributes = attributes | kStays | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA;
  TPMS_ECC_PARMS& details = area.parameters.eccDetail;
  details.symmetric.algorithm = TPM2_ALG_NULL;
  details.scheme.scheme = TPM2_ALG_NULL;
  details.curveID = TPM2_ECC_NIST_P256;
  details.kdf.scheme = TPM2_ALG_NULL;
  return sized;
}

// The content of an NV index, or nothing if it is not there.
Bytes read_nv(ESYS_CONTEXT* context, TPM2_HANDLE index) {
  ESYS_TR object = ESYS_TR_NONE;
  if (Esys_TR_FromTPMPublic(context, index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &object) !=
      TSS2_RC_SUCCESS)
    return {};
  const Handle handle(context, object, false);
  TPM2B_NV_PUBLIC* area = nullptr;
  TPM2B_NAME* name = nullptr;
  if (Esys_NV_ReadPublic(context, object, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &area, &name) !=
      TSS2_RC_SUCCESS)
    return {};
  const EsysPtr<TPM2B_NV_PUBLIC> free_area(area);
  const EsysPtr<TPM2B_NAME> free_name(name);
  Bytes content;
  constexpr UINT16 kPiece = 512;  // every TPM gives as much
  while (content.size() < area->nvPublic.dataSize) {
    const auto offset = static_cast<UINT16>(content.size());
    const auto size = std::min<UINT16>(kPiece, static_cast<UINT16>(area->nvPublic.dataSize - offset));
    TPM2B_MAX_NV_BUFFER* piece = nullptr;
    if (Esys_NV_Read(context, object, object, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, size, offset,
                     &piece) != TSS2_RC_SUCCESS) {
      return {};
    }
    const EsysPtr<TPM2B_MAX_NV_BUFFER> free_piece(piece);
    content.insert(content.end(), piece->buffer, piece->buffer + piece->size);
  }
  return content;
}

// An EK certificate, without what some vendors leave behind it in NV.
Bytes certificate_of(Bytes nv) {
  if (nv.size() < 4 || nv[0] != 0x30 || nv[1] != 0x82) return {};
  const size_t size = 4 + (size_t{nv[2]} << 8 | nv[3]);
  if (size > nv.size()) return {};
  nv.resize(size);
  return nv;
}

Result<TpmKey> create_primary(const TpmConnection& tpm, ESYS_TR hierarchy, const TPM2B_PUBLIC& area,
                              std::string_view what) {
  const TPM2B_SENSITIVE_CREATE sensitive = {};
  const TPM2B_DATA outside = {};
  const TPML_PCR_SELECTION no_pcrs = {};
  ESYS_TR object = ESYS_TR_NONE;
  TPM2B_PUBLIC* made = nullptr;
  TRY(tpm_check(what, Esys_CreatePrimary(tpm.context(), hierarchy, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                         ESYS_TR_NONE, &sensitive, &area, &outside, &no_pcrs, &object, &made,
                                         nullptr, nullptr, nullptr)));
  TpmKey key{Handle(tpm.context(), object), {}};
  const EsysPtr<TPM2B_PUBLIC> free_made(made);
  TRY_ASSIGN(key.public_area, marshal(*made, "public key", Tss2_MU_TPM2B_PUBLIC_Marshal));
  return key;
}

}  // namespace

// The persistent one if there is one, since making an RSA key can take a TPM many seconds.
Result<void> load_ek(TpmConnection& tpm) {
  if (tpm.ek) return {};
  TRY_ASSIGN(const TPM2B_PUBLIC wanted, ek_template());
  ESYS_TR object = ESYS_TR_NONE;
  if (Esys_TR_FromTPMPublic(tpm.context(), kEkHandle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &object) ==
      TSS2_RC_SUCCESS) {
    Handle persistent(tpm.context(), object, false);
    TPM2B_PUBLIC* area = nullptr;
    TRY(tpm_check("read the endorsement key",
                  Esys_ReadPublic(tpm.context(), object, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &area,
                                  nullptr, nullptr)));
    const EsysPtr<TPM2B_PUBLIC> free_area(area);
    if (area->publicArea.type == TPM2_ALG_RSA &&
        area->publicArea.objectAttributes == wanted.publicArea.objectAttributes) {
      TRY_ASSIGN(tpm.ek_public, marshal(*area, "public key", Tss2_MU_TPM2B_PUBLIC_Marshal));
      tpm.ek = std::move(persistent);
    }
  }
  if (!tpm.ek) {
    TRY_ASSIGN(TpmKey made, create_primary(tpm, ESYS_TR_RH_ENDORSEMENT, wanted, "make the endorsement key"));
    tpm.ek_public = std::move(made.public_area);
    tpm.ek = std::move(made.handle);
  }
  if (!tpm.expected_ek.empty() && tpm.ek_public != tpm.expected_ek) {
    tpm.ek = Handle();
    return untrusted(
        "the TPM shows another endorsement key than at enrolment: another TPM, or somebody on its bus");
  }
  return {};
}

Bytes read_ek_certificate(const TpmConnection& tpm) {
  return certificate_of(read_nv(tpm.context(), kEkCertificateIndex));
}

Result<TpmKey> load_ak(TpmConnection& tpm) {
  TPM2B_PUBLIC area = ecc_template(TPMA_OBJECT_SIGN_ENCRYPT);
  area.publicArea.parameters.eccDetail.scheme.scheme = TPM2_ALG_ECDSA;
  area.publicArea.parameters.eccDetail.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
  // Goes into the derivation of the key, and makes it another one than other people's keys of this template.
  TRY_ASSIGN(const Bytes label, hash(HashAlgo::kSha256, {as_bytes(kAkLabel)}));
  TRY(fill(area.publicArea.unique.ecc.x.size, area.publicArea.unique.ecc.x.buffer, label));
  return create_primary(tpm, ESYS_TR_RH_ENDORSEMENT, area, "make the attestation key");
}

// TCG Provisioning Guidance's ECC storage key.
Result<TpmKey> load_storage_key(TpmConnection& tpm) {
  TPM2B_PUBLIC area = ecc_template(TPMA_OBJECT_DECRYPT);
  area.publicArea.parameters.eccDetail.symmetric = {TPM2_ALG_AES, {.aes = 128}, {.aes = TPM2_ALG_CFB}};
  return create_primary(tpm, ESYS_TR_RH_OWNER, area, "make the storage key");
}

Result<TpmKey> load_persistent_key(TpmConnection& tpm, TPM2_HANDLE number) {
  ESYS_TR object = ESYS_TR_NONE;
  if (Esys_TR_FromTPMPublic(tpm.context(), number, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &object) !=
      TSS2_RC_SUCCESS)
    return not_found("TPM: no persistent key at the handle that is the parent of this one");
  return TpmKey{Handle(tpm.context(), object, false), {}};
}

Result<Handle> start_session(TpmConnection& tpm, const Handle& salt_key, TPM2_SE type,
                             TPMA_SESSION attributes) {
  const TPMT_SYM_DEF symmetric = {TPM2_ALG_AES, {.aes = 128}, {.aes = TPM2_ALG_CFB}};
  ESYS_TR session = ESYS_TR_NONE;
  TRY(tpm_check("start a session",
                Esys_StartAuthSession(tpm.context(), salt_key.get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                      ESYS_TR_NONE, nullptr, type, &symmetric, TPM2_ALG_SHA256, &session)));
  Handle handle(tpm.context(), session);
  TRY(tpm_check("configure a session", Esys_TRSess_SetAttributes(tpm.context(), session, attributes, 0xff)));
  return handle;
}

Result<Handle> start_session(TpmConnection& tpm, TPM2_SE type) {
  TRY(load_ek(tpm));
  // The commands that a policy session authorizes here have no parameter that could be encrypted on the way
  // in.
  return start_session(tpm, tpm.ek, type,
                       TPMA_SESSION_CONTINUESESSION | TPMA_SESSION_ENCRYPT |
                           (type == TPM2_SE_POLICY ? TPMA_SESSION{0} : TPMA_SESSION{TPMA_SESSION_DECRYPT}));
}

}  // namespace diglim
