// SPDX-License-Identifier: Apache-2.0
#include "lib/tpm/seal.h"

#include "lib/tcg/marshal.h"
#include "lib/tpm/keys.h"
#include "lib/tpm/nv_counter.h"
#include "lib/tpm/pcr_policy.h"
#include "lib/tpm/signing_key.h"

namespace diglim {
namespace {

constexpr size_t kMaxSecret = 128;  // TPM2_MAX_SYM_DATA, what every TPM seals

Result<Bytes> policy_digest(const SealPolicy& policy) {
  if (policy.authorize_key.empty()) return policy_pcr_digest(policy.selection, policy.values);
  TRY_ASSIGN(const PkeyPtr key, read_public_pem(policy.authorize_key));
  TRY_ASSIGN(const Bytes name, tpm_public_key_name(key.get()));
  return policy_authorize_digest(name);
}

// A session that satisfies the policy: the registers hold its values or, with an authorization, the key
// approves of what they hold.
Result<Handle> satisfy(TpmConnection& tpm, const SealPolicy& policy, const Authorization* authorization) {
  TRY_ASSIGN(const TPML_PCR_SELECTION selected, tpm_selection(policy.selection));
  TRY_ASSIGN(Handle session, start_session(tpm, TPM2_SE_POLICY));
  const TPM2B_DIGEST as_they_are = {};
  TRY(tpm_check("check the PCRs", Esys_PolicyPCR(tpm.context(), session.get(), ESYS_TR_NONE, ESYS_TR_NONE,
                                                 ESYS_TR_NONE, &as_they_are, &selected)));
  if (authorization == nullptr) return session;
  if (authorization->limit) {
    TRY_ASSIGN(const bool current, follow_counter(tpm, session, *authorization->limit));
    if (!current) return untrusted("the TPM's counter has passed what was authorized");
  }
  TRY_ASSIGN(const PkeyPtr key, read_public_pem(policy.authorize_key));
  TRY_ASSIGN(const TPM2B_PUBLIC area, tpm_public_key(key.get()));
  ESYS_TR object = ESYS_TR_NONE;
  TRY(tpm_check("load the authorizing key",
                Esys_LoadExternal(tpm.context(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, nullptr, &area,
                                  ESYS_TR_RH_OWNER, &object)));
  const Handle loaded(tpm.context(), object);
  TRY_ASSIGN(const Bytes approved, approved_policy(*authorization));
  TRY_ASSIGN(const Bytes signed_hash, authorization_hash(approved));
  TPM2B_DIGEST digest = {};
  TRY(fill(digest.size, digest.buffer, signed_hash));
  TRY_ASSIGN(const TPMT_SIGNATURE signature, tpm_signature(key.get(), authorization->signature));
  TPMT_TK_VERIFIED* ticket = nullptr;
  if (const TSS2_RC code = Esys_VerifySignature(tpm.context(), object, ESYS_TR_NONE, ESYS_TR_NONE,
                                                ESYS_TR_NONE, &digest, &signature, &ticket);
      code != TSS2_RC_SUCCESS) {
    Error error = tpm_error("verify the authorization", code);
    error.code = ErrorCode::kUntrusted;
    return error;
  }
  const EsysPtr<TPMT_TK_VERIFIED> free_ticket(ticket);
  TPM2B_DIGEST approved_policy = {};
  TRY(fill(approved_policy.size, approved_policy.buffer, approved));
  TRY_ASSIGN(const Bytes name, tpm_public_key_name(key.get()));
  TPM2B_NAME key_name = {};
  TRY(fill(key_name.size, key_name.name, name));
  const TPM2B_NONCE no_reference = {};
  TRY(tpm_check("approve of the PCRs",
                Esys_PolicyAuthorize(tpm.context(), session.get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                     &approved_policy, &no_reference, &key_name, ticket)));
  return session;
}

bool outlasts(const Authorization& one, const Authorization& other) {
  if (!one.limit || !other.limit) return !one.limit && other.limit;
  return one.limit->at_most > other.limit->at_most;
}

}  // namespace

Result<SealedObject> seal_secret(TpmConnection& tpm, ByteView secret, const SealPolicy& policy) {
  if (secret.empty() || secret.size() > kMaxSecret) return invalid("a secret of 1 to 128 bytes is expected");
  TRY_ASSIGN(const Bytes digest, policy_digest(policy));
  TRY_ASSIGN(const TpmKey parent, load_storage_key(tpm));
  TRY_ASSIGN(const Handle session, start_session(tpm, TPM2_SE_HMAC));
  TPM2B_SENSITIVE_CREATE sensitive = {};
  TRY(fill(sensitive.sensitive.data.size, sensitive.sensitive.data.buffer, secret));
  TPM2B_PUBLIC area = {};
  area.publicArea.type = TPM2_ALG_KEYEDHASH;
  area.publicArea.nameAlg = TPM2_ALG_SHA256;
  // No USERWITHAUTH: the policy is the only way.
  area.publicArea.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_NODA;
  area.publicArea.parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL;
  TRY(fill(area.publicArea.authPolicy.size, area.publicArea.authPolicy.buffer, digest));
  const TPM2B_DATA outside = {};
  const TPML_PCR_SELECTION no_pcrs = {};
  TPM2B_PRIVATE* private_part = nullptr;
  TPM2B_PUBLIC* public_part = nullptr;
  TRY(tpm_check("seal", Esys_Create(tpm.context(), parent.handle.get(), session.get(), ESYS_TR_NONE,
                                    ESYS_TR_NONE, &sensitive, &area, &outside, &no_pcrs, &private_part,
                                    &public_part, nullptr, nullptr, nullptr)));
  const EsysPtr<TPM2B_PRIVATE> free_private(private_part);
  const EsysPtr<TPM2B_PUBLIC> free_public(public_part);
  OPENSSL_cleanse(&sensitive, sizeof(sensitive));
  SealedObject object;
  object.policy = policy;
  TRY_ASSIGN(object.public_part, marshal(*public_part, "public part", Tss2_MU_TPM2B_PUBLIC_Marshal));
  TRY_ASSIGN(object.private_part, marshal(*private_part, "private part", Tss2_MU_TPM2B_PRIVATE_Marshal));
  return object;
}

Result<Bytes> unseal_secret(TpmConnection& tpm, const SealedObject& object,
                            const std::map<unsigned, Bytes>& now,
                            const std::vector<Authorization>& authorizations) {
  TRY_ASSIGN(const TPM2B_PUBLIC public_part,
             unmarshal<TPM2B_PUBLIC>(object.public_part, "public part of a sealed object",
                                     Tss2_MU_TPM2B_PUBLIC_Unmarshal));
  TRY_ASSIGN(const TPM2B_PRIVATE private_part,
             unmarshal<TPM2B_PRIVATE>(object.private_part, "private part of a sealed object",
                                      Tss2_MU_TPM2B_PRIVATE_Unmarshal));
  // Of those for these values the one that lasts longest.
  const Authorization* fitting = nullptr;
  for (const Authorization& authorization : authorizations) {
    const bool same = authorization.selection.bank == object.policy.selection.bank &&
                      authorization.selection.pcrs == object.policy.selection.pcrs &&
                      authorization.values == now;
    if (same && (fitting == nullptr || !outlasts(*fitting, authorization))) fitting = &authorization;
  }
  const bool by_key = !object.policy.authorize_key.empty();
  if (by_key && fitting == nullptr)
    return untrusted("no authorization is for the values that the PCRs have now");
  if (!by_key && object.policy.values != now)
    return untrusted("the PCRs have other values than those sealed to");
  TRY_ASSIGN(const TpmKey parent, load_storage_key(tpm));
  TRY_ASSIGN(const Handle session, satisfy(tpm, object.policy, by_key ? fitting : nullptr));
  ESYS_TR loaded = ESYS_TR_NONE;
  const TSS2_RC load = Esys_Load(tpm.context(), parent.handle.get(), ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                 ESYS_TR_NONE, &private_part, &public_part, &loaded);
  if (kind_of(load) == TPM2_RC_INTEGRITY)
    return untrusted(
        "this was sealed by another TPM, or before this one was cleared, or its file was changed: seal the "
        "secret anew");
  TRY(tpm_check("load the sealed object", load));
  const Handle item(tpm.context(), loaded);
  TPM2B_SENSITIVE_DATA* data = nullptr;
  const TSS2_RC code = Esys_Unseal(tpm.context(), loaded, session.get(), ESYS_TR_NONE, ESYS_TR_NONE, &data);
  if (code != TSS2_RC_SUCCESS) {
    Error error = tpm_error("unseal", code);
    error.code = ErrorCode::kUntrusted;
    return error;
  }
  const EsysPtr<TPM2B_SENSITIVE_DATA> free_data(data);
  Bytes secret(data->buffer, data->buffer + data->size);
  OPENSSL_cleanse(data->buffer, data->size);
  return secret;
}

}  // namespace diglim
