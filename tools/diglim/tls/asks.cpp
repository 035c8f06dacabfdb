// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/tls/asks.h"

#include <algorithm>
#include <iterator>
#include <map>

#include "lib/tcg/tpm_hash.h"

namespace diglim {
namespace {

// "sha256:0,1,12"
std::string text_of(const std::set<std::pair<TPM2_ALG_ID, unsigned>>& registers) {
  std::map<TPM2_ALG_ID, std::string> banks;
  for (const auto& [bank, pcr] : registers) {
    std::string& list = banks[bank];
    list += (list.empty() ? "" : ",") + std::to_string(pcr);
  }
  std::string all;
  for (const auto& [bank, list] : banks) {
    const auto algo = hash_from_tpm(bank);
    all += (all.empty() ? "" : " ") + (algo ? std::string(hash_name(*algo)) : "another bank") + ":" + list;
  }
  return all;
}

constexpr const char* kTodo = "; --weaker takes it all the same";

}  // namespace

Asks asks_of(const PcrSelection& selection, bool ends) {
  Asks asks;
  asks.ends = ends;
  for (const unsigned pcr : selection.pcrs) asks.registers.emplace(hash_to_tpm(selection.bank), pcr);
  return asks;
}

Asks asks_of(const Authorization& authorization) {
  return asks_of(authorization.selection, authorization.limit.has_value());
}

Asks asks_of(const PolicyWay& way) {
  Asks asks;
  asks.ends = way.limit.has_value();
  for (const PcrStatement& statement : way.pcrs) {
    for (UINT32 i = 0; i < statement.selection.count; ++i) {
      const TPMS_PCR_SELECTION& bank = statement.selection.pcrSelections[i];
      for (unsigned pcr = 0; pcr < 8u * bank.sizeofSelect; ++pcr) {
        if ((bank.pcrSelect[pcr / 8] >> pcr % 8 & 1) != 0) asks.registers.emplace(bank.hash, pcr);
      }
    }
  }
  return asks;
}

Result<void> check_asks_no_less(const Asks& before, const Asks& next) {
  std::set<std::pair<TPM2_ALG_ID, unsigned>> missing;
  std::ranges::set_difference(before.registers, next.registers, std::inserter(missing, missing.end()));
  if (!missing.empty())
    return untrusted("it leaves out " + text_of(missing) +
                     ", so the key would work whatever those PCRs hold; sign one for " +
                     text_of(before.registers) + " (diglim pcr predict --sign --pcrs)" + kTodo);
  if (before.ends && !next.ends)
    return untrusted(
        std::string(
            "it stays good for ever, and what the key asked for so far ends with the TPM's counter; sign it "
            "with --until-counter (diglim pcr predict --sign)") +
        kTodo);
  return {};
}

}  // namespace diglim
