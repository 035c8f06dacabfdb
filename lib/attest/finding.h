// SPDX-License-Identifier: Apache-2.0
// Why a verifier does not trust a machine.
#pragma once

#include <string>
#include <string_view>

namespace diglim {

// reason_code() is the stable name; diglim-attest(1) explains each.
enum class Reason {
  // The bundle is no evidence.
  kBundleMalformed,
  kBundleVersion,
  kAkDiffers,
  kAkMalformed,
  kAkUnsuitable,
  kQuoteMalformed,
  kQuoteMagic,
  kQuoteType,
  kSignatureMalformed,
  kSignatureScheme,
  kSignatureWrong,
  kNonceDiffers,
  kNonceReused,
  kBankDiffers,
  kPcrNotQuoted,
  kPcrValuesDiffer,  // those in the bundle are not of the registers that were quoted
  kPcrDigestDiffers,
  kLogMalformed,
  kLogEntryWrong,
  kLogDiffers,  // it does not replay to the quoted register
  // It is evidence, of a state that is not accepted.
  kPcrReference,
  kBootAggregateMissing,
  kBootAggregateDiffers,
  kBootManifestMissing,
  kBootManifestLate,
  kBootManifestRepeated,
  kManifestMissing,
  kManifestExtra,
  kManifestMalformed,
  kManifestPath,
  kManifestChain,
  kModeDiffers,
  kMonitored,
  kLoaderUnknown,
  kProgramUnknown,
  kImaPolicyUnknown,
  kKeyUntrusted,
  kWeakHash,
  kListUntrusted,
  kVersionTooOld,
  kRevocationsTooOld,
  kUnknownFile,
  kViolation,
};
std::string_view reason_code(Reason reason);  // "nonce-differs"

struct Finding {
  Reason reason;
  std::string text;  // one sentence, escaped
};

}  // namespace diglim
