// SPDX-License-Identifier: Apache-2.0
#include "lib/tpm/tpm.h"

#include "lib/tcg/marshal.h"
#include "lib/tcg/tpm_hash.h"
#include "lib/tpm/keys.h"
#include "lib/tpm/make_key.h"
#include "lib/tpm/nv_counter.h"
#include "lib/tpm/pcr_policy.h"
#include "lib/tpm/seal.h"

namespace diglim {
namespace {

constexpr size_t kMaxNonce = 64;
constexpr int kPcrReadTries = 32;  // a TPM may give as few as one register at a time

}  // namespace

Tpm::Tpm(std::unique_ptr<TpmConnection> connection) : connection_(std::move(connection)) {}
Tpm::Tpm(Tpm&&) noexcept = default;
Tpm& Tpm::operator=(Tpm&&) noexcept = default;
Tpm::~Tpm() = default;

Result<Tpm> Tpm::open(const std::string& tcti) {
  TRY_ASSIGN(auto connection, connect_tpm(tcti));
  return Tpm(std::move(connection));
}

Result<void> Tpm::expect_endorsement_key(ByteView expected) {
  if (expected.empty()) return corrupt(0, "the endorsement key of the enrolment is empty: enroll again");
  connection_->expected_ek = to_bytes(expected);
  return load_ek(*connection_);
}

Result<std::map<unsigned, Bytes>> Tpm::read_pcrs(const PcrSelection& selection) {
  TRY_ASSIGN(TPML_PCR_SELECTION left, tpm_selection(selection));
  std::map<unsigned, Bytes> values;
  for (int i = 0; i < kPcrReadTries && values.size() < selection.pcrs.size(); ++i) {
    UINT32 counter = 0;
    TPML_PCR_SELECTION* read = nullptr;
    TPML_DIGEST* digests = nullptr;
    TRY(tpm_check("read PCRs", Esys_PCR_Read(connection_->context(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                             &left, &counter, &read, &digests)));
    const EsysPtr<TPML_PCR_SELECTION> free_read(read);
    const EsysPtr<TPML_DIGEST> free_digests(digests);
    if (read->count != 1 || digests->count == 0) break;
    UINT32 next = 0;
    for (unsigned pcr = 0; pcr < 8u * read->pcrSelections[0].sizeofSelect && next < digests->count; ++pcr) {
      if ((read->pcrSelections[0].pcrSelect[pcr / 8] & 1u << pcr % 8) == 0) continue;
      const TPM2B_DIGEST& digest = digests->digests[next++];
      values[pcr] = Bytes(digest.buffer, digest.buffer + digest.size);
      left.pcrSelections[0].pcrSelect[pcr / 8] =
          static_cast<BYTE>(left.pcrSelections[0].pcrSelect[pcr / 8] & ~(1u << pcr % 8));
    }
  }
  for (const unsigned pcr : selection.pcrs) {
    const auto value = values.find(pcr);
    if (value == values.end() || value->second.size() != hash_size(selection.bank))
      return unsupported("the TPM has no " + std::string(hash_name(selection.bank)) + " bank with PCR " +
                         std::to_string(pcr));
  }
  return values;
}

Result<SignedQuote> Tpm::quote(ByteView nonce, const PcrSelection& selection) {
  if (nonce.size() > kMaxNonce) return invalid("a nonce of more than 64 bytes");
  TRY_ASSIGN(const TPML_PCR_SELECTION selected, tpm_selection(selection));
  TRY_ASSIGN(const TpmKey ak, load_ak(*connection_));
  TRY_ASSIGN(const Handle session, start_session(*connection_, TPM2_SE_HMAC));
  TPM2B_DATA data = {};
  TRY(fill(data.size, data.buffer, nonce));
  TPMT_SIG_SCHEME scheme = {};
  scheme.scheme = TPM2_ALG_NULL;  // the key's own
  TPM2B_ATTEST* attest = nullptr;
  TPMT_SIGNATURE* signature = nullptr;
  TRY(tpm_check("quote", Esys_Quote(connection_->context(), ak.handle.get(), session.get(), ESYS_TR_NONE,
                                    ESYS_TR_NONE, &data, &scheme, &selected, &attest, &signature)));
  const EsysPtr<TPM2B_ATTEST> free_attest(attest);
  const EsysPtr<TPMT_SIGNATURE> free_signature(signature);
  SignedQuote quote;
  quote.ak = ak.public_area;
  quote.attest = Bytes(attest->attestationData, attest->attestationData + attest->size);
  TRY_ASSIGN(quote.signature, marshal(*signature, "signature", Tss2_MU_TPMT_SIGNATURE_Marshal));
  return quote;
}

Result<EndorsementKey> Tpm::endorsement_key() {
  TRY(load_ek(*connection_));
  return EndorsementKey{connection_->ek_public, read_ek_certificate(*connection_)};
}

Result<Bytes> Tpm::attestation_key() {
  TRY_ASSIGN(TpmKey key, load_ak(*connection_));
  return std::move(key.public_area);
}

Result<Bytes> Tpm::activate_credential(ByteView credential) {
  size_t offset = 0;
  TPM2B_ID_OBJECT identity = {};
  TPM2B_ENCRYPTED_SECRET seed = {};
  if (Tss2_MU_TPM2B_ID_OBJECT_Unmarshal(credential.data(), credential.size(), &offset, &identity) !=
          TSS2_RC_SUCCESS ||
      Tss2_MU_TPM2B_ENCRYPTED_SECRET_Unmarshal(credential.data(), credential.size(), &offset, &seed) !=
          TSS2_RC_SUCCESS ||
      offset != credential.size()) {
    return corrupt(offset, "not a credential");
  }
  TRY_ASSIGN(const TpmKey ak, load_ak(*connection_));
  TRY_ASSIGN(const Handle session, start_session(*connection_, TPM2_SE_HMAC));
  TRY_ASSIGN(const Handle policy, start_session(*connection_, TPM2_SE_POLICY));
  ESYS_CONTEXT* context = connection_->context();
  // Only one session of a command may encrypt its parameters.
  constexpr TPMA_SESSION kEncrypts = TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT;
  TRY(tpm_check("configure a session", Esys_TRSess_SetAttributes(context, policy.get(), 0, kEncrypts)));
  TRY(tpm_check(
      "use the endorsement key",
      Esys_PolicySecret(context, ESYS_TR_RH_ENDORSEMENT, policy.get(), ESYS_TR_PASSWORD, ESYS_TR_NONE,
                        ESYS_TR_NONE, nullptr, nullptr, nullptr, 0, nullptr, nullptr)));
  TPM2B_DIGEST* secret = nullptr;
  const TSS2_RC code = Esys_ActivateCredential(context, ak.handle.get(), connection_->ek.get(), session.get(),
                                               policy.get(), ESYS_TR_NONE, &identity, &seed, &secret);
  if (code != TSS2_RC_SUCCESS) {
    Error error = tpm_error("open the credential", code);
    error.code = ErrorCode::kUntrusted;  // for another TPM, or another attestation key
    return error;
  }
  const EsysPtr<TPM2B_DIGEST> free_secret(secret);
  return Bytes(secret->buffer, secret->buffer + secret->size);
}

Result<KeyFile> Tpm::make_signing_key(SigningKeyKind kind, ByteView policy) {
  return diglim::make_signing_key(*connection_, kind, policy);
}

Result<uint64_t> Tpm::make_counter(uint32_t index) {
  return diglim::make_counter(*connection_, index);
}

Result<uint64_t> Tpm::read_counter(uint32_t index) {
  return diglim::read_counter(*connection_, index);
}

Result<uint64_t> Tpm::advance_counter(uint32_t index, uint64_t value) {
  return diglim::advance_counter(*connection_, index, value);
}

Result<SealedObject> Tpm::seal(ByteView secret, const SealPolicy& policy) {
  return seal_secret(*connection_, secret, policy);
}

Result<Bytes> Tpm::unseal(const SealedObject& object, const std::vector<Authorization>& authorizations) {
  TRY_ASSIGN(const auto now, read_pcrs(object.policy.selection));
  return unseal_secret(*connection_, object, now, authorizations);
}

}  // namespace diglim
