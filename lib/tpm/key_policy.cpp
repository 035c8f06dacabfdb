// SPDX-License-Identifier: Apache-2.0
#include "lib/tpm/key_policy.h"

#include <algorithm>
#include <span>

#include "lib/tcg/marshal.h"
#include "lib/tcg/pcr.h"
#include "lib/tcg/quote.h"
#include "lib/tpm/pcr_policy.h"
#include "lib/tpm/signing_key.h"

namespace diglim {
namespace {

constexpr TPM2_HANDLE kFirstPersistent = 0x81000000;
constexpr TPM2_HANDLE kLastPersistent = 0x81ffffff;

Result<void> check_signing_key(const TPMT_PUBLIC& area) {
  if (area.nameAlg != TPM2_ALG_SHA256) return unsupported("a TPM key whose name is not a SHA-256");
  constexpr TPMA_OBJECT kNeeded = TPMA_OBJECT_SIGN_ENCRYPT;
  if ((area.objectAttributes & kNeeded) == 0 || (area.objectAttributes & TPMA_OBJECT_RESTRICTED) != 0)
    return unsupported("a TPM key that does not sign what it is given");
  const TPMI_ECC_CURVE curve = area.parameters.eccDetail.curveID;
  if (area.type == TPM2_ALG_ECC && (curve == TPM2_ECC_NIST_P256 || curve == TPM2_ECC_NIST_P384)) return {};
  const auto& rsa = area.parameters.rsaDetail;
  if (area.type == TPM2_ALG_RSA && rsa.keyBits >= 2048 && area.unique.rsa.size * 8 == rsa.keyBits) return {};
  return unsupported("a TPM key that is neither ECDSA P-256 or P-384 nor RSA of at least 2048 bits");
}

// One value of a command's parameters, off their front.
template <typename T, typename Unmarshal>
Result<T> take(ByteView parameters, size_t& offset, const char* what, Unmarshal function) {
  T value = {};
  if (function(parameters.data(), parameters.size(), &offset, &value) != TSS2_RC_SUCCESS)
    return corrupt(offset, std::string("a policy command without ") + what);
  return value;
}

Result<PcrStatement> read_pcr(ByteView parameters) {
  size_t offset = 0;
  PcrStatement statement = {};
  TRY_ASSIGN(statement.digest,
             take<TPM2B_DIGEST>(parameters, offset, "its digest", Tss2_MU_TPM2B_DIGEST_Unmarshal));
  TRY_ASSIGN(statement.selection,
             take<TPML_PCR_SELECTION>(parameters, offset, "its PCRs", Tss2_MU_TPML_PCR_SELECTION_Unmarshal));
  if (offset != parameters.size()) return corrupt(offset, "bytes after a PolicyPCR");
  if (statement.digest.size != hash_size(HashAlgo::kSha256))
    return corrupt(0, "a PolicyPCR without the values of its PCRs");
  unsigned selected = 0;
  for (UINT32 i = 0; i < statement.selection.count; ++i) {
    const TPMS_PCR_SELECTION& bank = statement.selection.pcrSelections[i];
    for (unsigned byte = 0; byte < bank.sizeofSelect; ++byte) selected |= bank.pcrSelect[byte];
  }
  if (selected == 0) return corrupt(0, "a PolicyPCR that names no PCR");
  return statement;
}

Result<Approval> read_approval(ByteView parameters) {
  size_t offset = 0;
  Approval approval = {};
  TRY_ASSIGN(approval.authority,
             take<TPM2B_PUBLIC>(parameters, offset, "its key", Tss2_MU_TPM2B_PUBLIC_Unmarshal));
  TRY_ASSIGN(approval.reference,
             take<TPM2B_NONCE>(parameters, offset, "its reference", Tss2_MU_TPM2B_NONCE_Unmarshal));
  TRY_ASSIGN(approval.signature,
             take<TPMT_SIGNATURE>(parameters, offset, "its signature", Tss2_MU_TPMT_SIGNATURE_Unmarshal));
  if (offset != parameters.size()) return corrupt(offset, "bytes after a PolicyAuthorize");
  TRY_ASSIGN(const Bytes area, marshal(approval.authority, "public key", Tss2_MU_TPM2B_PUBLIC_Marshal));
  TRY_ASSIGN(approval.name, tpm_name(area));
  return approval;
}

ByteView view(const TPM2B_DIGEST& digest) {
  return {digest.buffer, digest.size};
}

// The draft has no form for PolicyNV. As it does for PolicySecret: the handle, and the name that it must
// have.
Result<CounterLimit> read_counter_limit(ByteView parameters) {
  size_t offset = 0;
  CounterLimit limit;
  TRY_ASSIGN(limit.index,
             take<TPM2_HANDLE>(parameters, offset, "its NV index", Tss2_MU_TPM2_HANDLE_Unmarshal));
  TRY_ASSIGN(const auto name, take<TPM2B_NAME>(parameters, offset, "a name", Tss2_MU_TPM2B_NAME_Unmarshal));
  TRY_ASSIGN(const auto operand,
             take<TPM2B_OPERAND>(parameters, offset, "a number", Tss2_MU_TPM2B_OPERAND_Unmarshal));
  TRY_ASSIGN(const auto at, take<UINT16>(parameters, offset, "an offset", Tss2_MU_UINT16_Unmarshal));
  TRY_ASSIGN(const auto operation,
             take<TPM2_EO>(parameters, offset, "an operation", Tss2_MU_UINT16_Unmarshal));
  if (offset != parameters.size()) return corrupt(offset, "bytes after a PolicyNV");
  if (limit.index < kFirstCounterIndex || limit.index > kLastCounterIndex)
    return unsupported("a PolicyNV of an index that is not the owner's");
  TRY_ASSIGN(const Bytes wanted, counter_name(limit.index));
  if (!std::ranges::equal(ByteView(name.name, name.size), wanted))
    return unsupported("a PolicyNV of an index that is no counter of diglim pcr counter");
  if (at != 0 || operation != kCounterOperation || operand.size != sizeof(uint64_t))
    return unsupported("a PolicyNV that says something else than how high a counter may be");
  for (const BYTE byte : std::span(operand.buffer, operand.size)) limit.at_most = limit.at_most << 8 | byte;
  return limit;
}

// TPM2_PolicyPCR after `before` (TPM 2.0 Library, part 3, section 23.7).
Result<Bytes> extend_by_pcrs(ByteView before, const PcrStatement& statement) {
  TRY_ASSIGN(const Bytes selected,
             marshal(statement.selection, "PCR selection", Tss2_MU_TPML_PCR_SELECTION_Marshal));
  Bytes code;
  put_u32_be(code, TPM2_CC_PolicyPCR);
  return hash(HashAlgo::kSha256, {before, code, selected, view(statement.digest)});
}

// PolicyAuthorize stands last, where it is executed, or first, where some write it; nowhere else, and once:
// what it approves of are the statements beside it.
Result<PolicyWay> read_way(PolicyCommands commands, ByteView key_policy) {
  PolicyWay way;
  for (const size_t i : {commands.size() - 1, size_t{0}}) {
    if (commands[i].code != TPM2_CC_PolicyAuthorize) continue;
    TRY_ASSIGN(way.approval, read_approval(commands[i].parameters));
    commands.erase(commands.begin() + static_cast<std::ptrdiff_t>(i));
    break;
  }
  Bytes digest(hash_size(HashAlgo::kSha256), 0);
  for (const PolicyCommand& command : commands) {
    if (way.limit || (command.code != TPM2_CC_PolicyPCR && command.code != TPM2_CC_PolicyNV))
      return unsupported(
          "a policy with other commands than PolicyPCR, one PolicyNV, and one PolicyAuthorize");
    if (command.code == TPM2_CC_PolicyNV) {
      TRY_ASSIGN(way.limit, read_counter_limit(command.parameters));
      TRY_ASSIGN(digest, extend_by_counter(digest, *way.limit));
      continue;
    }
    TRY_ASSIGN(PcrStatement statement, read_pcr(command.parameters));
    TRY_ASSIGN(digest, extend_by_pcrs(digest, statement));
    way.pcrs.push_back(statement);
  }
  if (way.pcrs.empty()) return corrupt(0, "a policy that says nothing of the PCRs");
  if (way.approval) {
    way.approval->approved = digest;
    TRY_ASSIGN(digest, policy_authorize_digest(way.approval->name, {way.approval->reference.buffer,
                                                                    way.approval->reference.size}));
  }
  if (!std::ranges::equal(digest, key_policy))
    return corrupt(0, "the policy in the file is not the one that the key was made with");
  return way;
}

}  // namespace

Result<TpmKeyParts> read_key_parts(const KeyFile& file) {
  TpmKeyParts parts = {};
  parts.parent = file.parent;
  const bool persistent = file.parent >= kFirstPersistent && file.parent <= kLastPersistent;
  if ((file.parent != TPM2_RH_OWNER && !persistent) || (file.rsa_parent && !persistent))
    return unsupported("a TPM key whose parent is neither the owner's ECC storage key nor persistent");
  TRY_ASSIGN(parts.public_part, unmarshal<TPM2B_PUBLIC>(file.public_part, "public part of a key",
                                                        Tss2_MU_TPM2B_PUBLIC_Unmarshal));
  TRY_ASSIGN(parts.private_part, unmarshal<TPM2B_PRIVATE>(file.private_part, "private part of a key",
                                                          Tss2_MU_TPM2B_PRIVATE_Unmarshal));
  const TPMT_PUBLIC& area = parts.public_part.publicArea;
  TRY(check_signing_key(area));
  const ByteView key_policy = view(area.authPolicy);
  const bool with_auth = (area.objectAttributes & TPMA_OBJECT_USERWITHAUTH) != 0;
  if (file.policy.empty() && file.alternatives.empty()) {
    if (!key_policy.empty()) return corrupt(0, "a TPM key under a policy that the file does not have");
    if (!with_auth)
      return corrupt(0, "a TPM key that nothing can use: neither a policy nor an authorization");
    if (!file.empty_auth) return unsupported("a TPM key with a password");
    return parts;
  }
  if (key_policy.empty()) return corrupt(0, "the file has a policy, and its TPM key has none");
  if (with_auth) return unsupported("a TPM key that can be used without its policy");
  // A policy of PolicyAuthorize alone says only whose approval is wanted; the approvals follow it.
  const bool names_only =
      file.policy.size() == 1 && file.policy[0].code == TPM2_CC_PolicyAuthorize && !file.alternatives.empty();
  if (!file.policy.empty() && !names_only) {
    TRY_ASSIGN(PolicyWay way, read_way(file.policy, key_policy));
    parts.ways.push_back(std::move(way));
  }
  for (const PolicyCommands& commands : file.alternatives) {
    TRY_ASSIGN(PolicyWay way, read_way(commands, key_policy));
    parts.ways.push_back(std::move(way));
  }
  return parts;
}

Result<PolicyCommand> pcr_command(const PcrSelection& selection, const std::map<unsigned, Bytes>& values) {
  TRY_ASSIGN(const TPML_PCR_SELECTION list, tpm_selection(selection));
  std::vector<Bytes> ordered;
  for (const unsigned pcr : selection.pcrs) {
    const auto value = values.find(pcr);
    if (value == values.end() || value->second.size() != hash_size(selection.bank))
      return invalid("no value of the bank's size for PCR " + std::to_string(pcr));
    ordered.push_back(value->second);
  }
  TRY_ASSIGN(const Bytes digest, pcr_selection_digest(HashAlgo::kSha256, ordered));
  TPM2B_DIGEST sized = {};
  TRY(fill(sized.size, sized.buffer, digest));
  PolicyCommand command{TPM2_CC_PolicyPCR, {}};
  TRY_ASSIGN(command.parameters, marshal(sized, "digest", Tss2_MU_TPM2B_DIGEST_Marshal));
  TRY_ASSIGN(const Bytes selected, marshal(list, "PCR selection", Tss2_MU_TPML_PCR_SELECTION_Marshal));
  append(command.parameters, selected);
  return command;
}

Result<PolicyCommand> counter_command(const CounterLimit& limit) {
  PolicyCommand command{TPM2_CC_PolicyNV, {}};
  TRY_ASSIGN(const Bytes name, counter_name(limit.index));
  put_u32_be(command.parameters, limit.index);
  for (const Bytes& sized : {name, counter_operand(limit.at_most)}) {
    put_u16_be(command.parameters, static_cast<uint16_t>(sized.size()));
    append(command.parameters, sized);
  }
  put_u16_be(command.parameters, 0);
  put_u16_be(command.parameters, kCounterOperation);
  return command;
}

Result<PolicyCommands> approved_commands(const std::string& authorize_key, const Authorization& approval) {
  TRY_ASSIGN(const PkeyPtr key, read_public_pem(authorize_key));
  TRY_ASSIGN(const Bytes policy, approved_policy(approval));
  TRY_ASSIGN(const Bytes digest, authorization_hash(policy));
  TRY(verify_digest(key.get(), digest, approval.signature));
  TRY_ASSIGN(const TPM2B_PUBLIC area, tpm_public_key(key.get()));
  TRY_ASSIGN(const TPMT_SIGNATURE signature, tpm_signature(key.get(), approval.signature));
  const TPM2B_NONCE no_reference = {};
  PolicyCommand authorize{TPM2_CC_PolicyAuthorize, {}};
  TRY_ASSIGN(authorize.parameters, marshal(area, "public key", Tss2_MU_TPM2B_PUBLIC_Marshal));
  TRY_ASSIGN(const Bytes reference, marshal(no_reference, "reference", Tss2_MU_TPM2B_NONCE_Marshal));
  append(authorize.parameters, reference);
  TRY_ASSIGN(const Bytes signed_part, marshal(signature, "signature", Tss2_MU_TPMT_SIGNATURE_Marshal));
  append(authorize.parameters, signed_part);
  PolicyCommands commands;
  TRY_ASSIGN(PolicyCommand pcrs, pcr_command(approval.selection, approval.values));
  commands.push_back(std::move(pcrs));
  if (approval.limit) {
    TRY_ASSIGN(PolicyCommand counter, counter_command(*approval.limit));
    commands.push_back(std::move(counter));
  }
  commands.push_back(std::move(authorize));
  return commands;
}

}  // namespace diglim
