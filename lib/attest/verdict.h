// SPDX-License-Identifier: Apache-2.0
// What a verifier found.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/manifest/manifest.h"
#include "lib/tcg/quote.h"

namespace diglim {

// Why a machine is not trusted. reason_code() is the stable name; diglim-attest(1) explains each.
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

struct UnknownFile {
  std::string path;  // as in the log, unescaped
  std::string algo;
  Bytes digest;
  unsigned pcr = 0;
  bool violation = false;
  bool tolerated = false;
};

struct Verdict {
  std::vector<Finding> findings;      // none: trusted
  std::vector<std::string> warnings;  // what was not checked
  // What the evidence says; empty if it is none.
  bool authentic = false;  // a quote of the enrolled key, with the nonce, over this log
  Quote quote;
  std::vector<UnknownFile> unknown;
  ManifestBoot boot;
  std::vector<ManifestList> lists;  // in force
  size_t events = 0;

  bool trusted() const { return authentic && findings.empty(); }
};

}  // namespace diglim
