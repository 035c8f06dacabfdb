// SPDX-License-Identifier: Apache-2.0
#include "lib/attest/evidence.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <set>

#include "lib/tcg/ima_log.h"

namespace diglim {
namespace {

bool refuse(Verdict& verdict, Reason reason, std::string text) {
  verdict.findings.push_back({reason, std::move(text)});
  return false;
}

bool same(ByteView a, ByteView b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool check_key(const AttestationRequest& request, const BundleView& bundle, AttestationKey& key,
               Verdict& verdict) {
  auto enrolled = parse_attestation_key(request.ak);
  if (!enrolled) {
    const bool malformed = enrolled.error().code == ErrorCode::kCorrupt;
    return refuse(verdict, malformed ? Reason::kAkMalformed : Reason::kAkUnsuitable,
                  "the enrolled attestation key: " + enrolled.error().message);
  }
  if (!same(request.ak, bundle.ak))
    return refuse(
        verdict, Reason::kAkDiffers,
        "the bundle was signed by another attestation key than the enrolled one: another machine, or its TPM "
        "was cleared");
  key = *std::move(enrolled);
  return true;
}

bool check_quote(const AttestationRequest& request, const BundleView& bundle, const AttestationKey& key,
                 Verdict& verdict) {
  QuoteFault fault = QuoteFault::kMalformed;
  auto quote = parse_quote(bundle.attest, fault);
  if (!quote) {
    const Reason reason = fault == QuoteFault::kMagic  ? Reason::kQuoteMagic
                          : fault == QuoteFault::kType ? Reason::kQuoteType
                                                       : Reason::kQuoteMalformed;
    return refuse(verdict, reason, "quote: " + quote.error().message);
  }
  if (auto good = verify_quote_signature(key, bundle.attest, bundle.signature); !good) {
    const ErrorCode code = good.error().code;
    const Reason reason = code == ErrorCode::kCorrupt       ? Reason::kSignatureMalformed
                          : code == ErrorCode::kUnsupported ? Reason::kSignatureScheme
                                                            : Reason::kSignatureWrong;
    return refuse(verdict, reason, "quote: " + good.error().message);
  }
  if (!same(quote->nonce, request.nonce))
    return refuse(
        verdict, Reason::kNonceDiffers,
        "the quote answers another challenge (nonce " + to_hex(quote->nonce) + "): it may be an old one");
  verdict.quote = *std::move(quote);
  return true;
}

bool check_registers(const BundleView& bundle, const VerifierPolicy& policy, const AttestationKey& key,
                     Verdict& verdict) {
  const PcrSelection& selection = verdict.quote.selection;
  if (selection.bank != policy.bank)
    return refuse(verdict, Reason::kBankDiffers,
                  "the quote is over the " + std::string(hash_name(selection.bank)) +
                      " bank, the policy asks for " + std::string(hash_name(policy.bank)));
  const auto quoted = [&](unsigned pcr) {
    return std::find(selection.pcrs.begin(), selection.pcrs.end(), pcr) != selection.pcrs.end();
  };
  if (!quoted(policy.pcr))
    return refuse(verdict, Reason::kPcrNotQuoted,
                  "PCR " + std::to_string(policy.pcr) + ", which holds the software, was not quoted");
  if (!policy.boot_aggregates.empty() && !quoted(kImaPcr))
    return refuse(verdict, Reason::kPcrNotQuoted,
                  "PCR 10, which holds the boot_aggregate that the policy asks for, was not quoted");
  for (const auto& [pcr, values] : policy.pcrs) {
    if (!quoted(pcr))
      return refuse(verdict, Reason::kPcrNotQuoted,
                    "PCR " + std::to_string(pcr) + ", for which the policy has values, was not quoted");
  }
  std::vector<Bytes> values;
  bool complete = bundle.bank == selection.bank && bundle.pcrs.size() == selection.pcrs.size();
  for (const unsigned pcr : selection.pcrs) {
    const auto found = bundle.pcrs.find(pcr);
    complete = complete && found != bundle.pcrs.end();
    if (complete) values.push_back(to_bytes(found->second));
  }
  if (!complete)
    return refuse(verdict, Reason::kPcrValuesDiffer,
                  "the bundle has values of other registers than were quoted");
  const auto digest = pcr_selection_digest(key.hash, values);
  if (!digest || !same(*digest, verdict.quote.pcr_digest))
    return refuse(verdict, Reason::kPcrDigestDiffers,
                  "the register values in the bundle are not those that were quoted");
  return true;
}

// Calls function(event) for each entry; the number of entries. An entry at a time, so that no memory grows
// with the log.
template <typename Function>
Result<size_t> for_each_entry(ByteView log, Function function) {
  ImaLogReader reader(log);
  for (size_t count = 0;; ++count) {
    TRY_ASSIGN(const auto event, reader.next());
    if (!event) return count;
    TRY(function(*event));
  }
}

// The log against each register that was quoted and that IMA extended.
bool check_log(Evidence& evidence, const VerifierPolicy& policy, Verdict& verdict) {
  std::set<unsigned> measured = {policy.pcr};
  // All of it is read before any of it is believed.
  const auto count = for_each_entry(evidence.bundle.ima_log, [&](const ImaEvent& event) -> Result<void> {
    if (event.pcr < kPcrCount) measured.insert(event.pcr);  // another is refused below
    return {};
  });
  if (!count) return refuse(verdict, Reason::kLogMalformed, "IMA log: " + count.error().message);
  PcrBank bank(policy.bank);
  const auto replayed = for_each_entry(evidence.bundle.ima_log, [&](const ImaEvent& event) {
    return check_and_replay_ima_event(event, bank);
  });
  if (!replayed) return refuse(verdict, Reason::kLogEntryWrong, "IMA log: " + replayed.error().message);
  for (const unsigned pcr : measured) {
    const auto quoted = evidence.bundle.pcrs.find(pcr);
    if (quoted == evidence.bundle.pcrs.end()) {
      verdict.warnings.push_back("the log's events of PCR " + std::to_string(pcr) +
                                 " were not checked, since it was not quoted");
    } else if (!same(bank.value(pcr), quoted->second)) {
      return refuse(verdict, Reason::kLogDiffers,
                    "the IMA log does not give PCR " + std::to_string(pcr) +
                        ": entries were changed, left out, added or put in another order");
    }
  }
  verdict.events = *count;
  return true;
}

}  // namespace

bool establish_evidence(const AttestationRequest& request, const VerifierPolicy& policy, Evidence& evidence,
                        Verdict& verdict) {
  auto bundle = view_bundle(request.bundle);
  if (!bundle) {
    const bool version = bundle.error().code == ErrorCode::kUnsupported;
    return refuse(verdict, version ? Reason::kBundleVersion : Reason::kBundleMalformed,
                  bundle.error().message);
  }
  evidence.bundle = *std::move(bundle);
  AttestationKey key;
  return check_key(request, evidence.bundle, key, verdict) &&
         check_quote(request, evidence.bundle, key, verdict) &&
         check_registers(evidence.bundle, policy, key, verdict) && check_log(evidence, policy, verdict);
}

}  // namespace diglim
