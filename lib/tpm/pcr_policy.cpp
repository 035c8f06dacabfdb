// SPDX-License-Identifier: Apache-2.0
#include "lib/tpm/pcr_policy.h"

#include "lib/tcg/marshal.h"
#include "lib/tcg/pcr.h"
#include "lib/tcg/tpm_hash.h"

namespace diglim {
namespace {

constexpr size_t kSelectBytes = 3;  // 24 registers

Bytes command_code(TPM2_CC code) {
  Bytes bytes;
  put_u32_be(bytes, code);
  return bytes;
}

}  // namespace

Result<TPML_PCR_SELECTION> tpm_selection(const PcrSelection& selection) {
  TPML_PCR_SELECTION list = {};
  list.count = 1;
  TPMS_PCR_SELECTION& one = list.pcrSelections[0];
  one.hash = hash_to_tpm(selection.bank);
  one.sizeofSelect = kSelectBytes;
  if (selection.pcrs.empty()) return invalid("no PCR is selected");
  for (const unsigned pcr : selection.pcrs) {
    if (pcr >= kPcrCount) return invalid("there is no PCR " + std::to_string(pcr));
    one.pcrSelect[pcr / 8] = static_cast<BYTE>(one.pcrSelect[pcr / 8] | 1u << pcr % 8);
  }
  return list;
}

Result<Bytes> policy_pcr_digest(const PcrSelection& selection, const std::map<unsigned, Bytes>& values) {
  TRY_ASSIGN(const TPML_PCR_SELECTION list, tpm_selection(selection));
  TRY_ASSIGN(const Bytes selected, marshal(list, "PCR selection", Tss2_MU_TPML_PCR_SELECTION_Marshal));
  std::vector<Bytes> ordered;
  for (const unsigned pcr : selection.pcrs) {
    const auto value = values.find(pcr);
    if (value == values.end()) return invalid("no value for PCR " + std::to_string(pcr));
    if (value->second.size() != hash_size(selection.bank))
      return invalid("the value for PCR " + std::to_string(pcr) + " has not the size of the bank");
    ordered.push_back(value->second);
  }
  TRY_ASSIGN(const Bytes digest, pcr_selection_digest(HashAlgo::kSha256, ordered));
  const Bytes start(hash_size(HashAlgo::kSha256), 0);
  return hash(HashAlgo::kSha256, {start, command_code(TPM2_CC_PolicyPCR), selected, digest});
}

Result<Bytes> policy_authorize_digest(ByteView key_name, ByteView reference) {
  // The policy so far is replaced by zeros.
  const Bytes start(hash_size(HashAlgo::kSha256), 0);
  TRY_ASSIGN(const Bytes inner,
             hash(HashAlgo::kSha256, {start, command_code(TPM2_CC_PolicyAuthorize), key_name}));
  return hash(HashAlgo::kSha256, {inner, reference});
}

Result<Bytes> approved_policy(const Authorization& authorization) {
  TRY_ASSIGN(Bytes digest, policy_pcr_digest(authorization.selection, authorization.values));
  if (!authorization.limit) return digest;
  return extend_by_counter(digest, *authorization.limit);
}

Result<Bytes> authorization_hash(ByteView approved) {
  return hash(HashAlgo::kSha256, {approved});
}

}  // namespace diglim
