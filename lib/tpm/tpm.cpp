// SPDX-License-Identifier: Apache-2.0
#include "lib/tpm/tpm.h"

#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>

#include <cstdlib>

#include "lib/attest/marshal.h"
#include "lib/attest/tpm_hash.h"
#include "lib/base/text.h"
#include "lib/tpm/esys.h"
#include "lib/tpm/pcr_policy.h"

namespace diglim {
namespace {

constexpr size_t kMaxNonce = 64;
constexpr int kPcrReadTries = 32;  // a TPM may give as few as one register at a time

}  // namespace

Error tpm_error(std::string_view what, TSS2_RC code) {
  return Error{ErrorCode::kIo, 0, "TPM: " + std::string(what) + ": " + escape(Tss2_RC_Decode(code))};
}

Result<void> tpm_check(std::string_view what, TSS2_RC code) {
  if (code != TSS2_RC_SUCCESS) return tpm_error(what, code);
  return {};
}

Handle& Handle::operator=(Handle&& other) noexcept {
  if (this != &other) {
    flush();
    context_ = other.context_;
    transient_ = other.transient_;
    handle_ = std::exchange(other.handle_, ESYS_TR_NONE);
  }
  return *this;
}

void Handle::flush() {
  if (handle_ == ESYS_TR_NONE) return;
  // What does not go now goes when the resource manager closes the connection.
  if (transient_) {
    (void)Esys_FlushContext(context_, handle_);
  } else {
    (void)Esys_TR_Close(context_, &handle_);
  }
  handle_ = ESYS_TR_NONE;
}

void Tpm::State::FreeTcti::operator()(TSS2_TCTI_CONTEXT* context) const {
  Tss2_TctiLdr_Finalize(&context);
}

Tpm::Tpm(std::unique_ptr<State> state) : state_(std::move(state)) {}
Tpm::Tpm(Tpm&&) noexcept = default;
Tpm& Tpm::operator=(Tpm&&) noexcept = default;
Tpm::~Tpm() = default;

Result<Tpm> Tpm::open(const std::string& tcti) {
  // tpm2-tss prints to stderr what its functions return anyway; who wants to see it sets TSS2_LOG himself.
  (void)setenv("TSS2_LOG", "all+NONE", 0);
  auto state = std::make_unique<State>();
  TSS2_TCTI_CONTEXT* transport = nullptr;
  if (const TSS2_RC code = Tss2_TctiLdr_Initialize(tcti.c_str(), &transport); code != TSS2_RC_SUCCESS)
    return not_found("no TPM at " + escape(tcti) + ": " + escape(Tss2_RC_Decode(code)));
  state->tcti.reset(transport);
  ESYS_CONTEXT* context = nullptr;
  TRY(tpm_check("connect", Esys_Initialize(&context, transport, nullptr)));
  state->esys.reset(context);
  return Tpm(std::move(state));
}

Result<void> Tpm::expect_endorsement_key(ByteView expected) {
  state_->expected_ek = to_bytes(expected);
  return state_->load_ek();
}

Result<std::map<unsigned, Bytes>> Tpm::read_pcrs(const PcrSelection& selection) {
  TRY_ASSIGN(TPML_PCR_SELECTION left, tpm_selection(selection));
  std::map<unsigned, Bytes> values;
  for (int i = 0; i < kPcrReadTries && values.size() < selection.pcrs.size(); ++i) {
    UINT32 counter = 0;
    TPML_PCR_SELECTION* read = nullptr;
    TPML_DIGEST* digests = nullptr;
    TRY(tpm_check("read PCRs", Esys_PCR_Read(state_->context(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
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

Result<Handle> Tpm::State::start_session(TPM2_SE type) {
  TRY(load_ek());
  const TPMT_SYM_DEF symmetric = {TPM2_ALG_AES, {.aes = 128}, {.aes = TPM2_ALG_CFB}};
  ESYS_TR session = ESYS_TR_NONE;
  TRY(tpm_check("start a session",
                Esys_StartAuthSession(context(), ek.get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                      ESYS_TR_NONE, nullptr, type, &symmetric, TPM2_ALG_SHA256, &session)));
  Handle handle(context(), session);
  // The commands that a policy session authorizes here have no parameter that could be encrypted on the way
  // in.
  const TPMA_SESSION flags = TPMA_SESSION_CONTINUESESSION | TPMA_SESSION_ENCRYPT |
                             (type == TPM2_SE_POLICY ? TPMA_SESSION{0} : TPMA_SESSION{TPMA_SESSION_DECRYPT});
  TRY(tpm_check("configure a session", Esys_TRSess_SetAttributes(context(), session, flags, 0xff)));
  return handle;
}

Result<SignedQuote> Tpm::quote(ByteView nonce, const PcrSelection& selection) {
  if (nonce.size() > kMaxNonce) return invalid("a nonce of more than 64 bytes");
  TRY_ASSIGN(const TPML_PCR_SELECTION selected, tpm_selection(selection));
  TRY_ASSIGN(const State::Key ak, state_->load_ak());
  TRY_ASSIGN(const Handle session, state_->start_session(TPM2_SE_HMAC));
  TPM2B_DATA data = {};
  TRY(fill(data.size, data.buffer, nonce));
  TPMT_SIG_SCHEME scheme = {};
  scheme.scheme = TPM2_ALG_NULL;  // the key's own
  TPM2B_ATTEST* attest = nullptr;
  TPMT_SIGNATURE* signature = nullptr;
  TRY(tpm_check("quote", Esys_Quote(state_->context(), ak.handle.get(), session.get(), ESYS_TR_NONE,
                                    ESYS_TR_NONE, &data, &scheme, &selected, &attest, &signature)));
  const EsysPtr<TPM2B_ATTEST> free_attest(attest);
  const EsysPtr<TPMT_SIGNATURE> free_signature(signature);
  SignedQuote quote;
  quote.ak = ak.public_area;
  quote.attest = Bytes(attest->attestationData, attest->attestationData + attest->size);
  TRY_ASSIGN(quote.signature, marshal(*signature, "signature", Tss2_MU_TPMT_SIGNATURE_Marshal));
  return quote;
}

}  // namespace diglim
