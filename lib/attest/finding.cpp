// SPDX-License-Identifier: Apache-2.0
#include "lib/attest/finding.h"

namespace diglim {

std::string_view reason_code(Reason reason) {
  switch (reason) {
    case Reason::kBundleMalformed:
      return "bundle-malformed";
    case Reason::kBundleVersion:
      return "bundle-version";
    case Reason::kAkDiffers:
      return "ak-differs";
    case Reason::kAkMalformed:
      return "ak-malformed";
    case Reason::kAkUnsuitable:
      return "ak-unsuitable";
    case Reason::kQuoteMalformed:
      return "quote-malformed";
    case Reason::kQuoteMagic:
      return "quote-magic";
    case Reason::kQuoteType:
      return "quote-type";
    case Reason::kSignatureMalformed:
      return "signature-malformed";
    case Reason::kSignatureScheme:
      return "signature-scheme";
    case Reason::kSignatureWrong:
      return "signature-wrong";
    case Reason::kNonceDiffers:
      return "nonce-differs";
    case Reason::kNonceReused:
      return "nonce-reused";
    case Reason::kBankDiffers:
      return "bank-differs";
    case Reason::kPcrNotQuoted:
      return "pcr-not-quoted";
    case Reason::kPcrValuesDiffer:
      return "pcr-values-differ";
    case Reason::kPcrDigestDiffers:
      return "pcr-digest-differs";
    case Reason::kLogMalformed:
      return "log-malformed";
    case Reason::kLogEntryWrong:
      return "log-entry-wrong";
    case Reason::kLogDiffers:
      return "log-differs";
    case Reason::kPcrReference:
      return "pcr-reference";
    case Reason::kBootAggregateMissing:
      return "boot-aggregate-missing";
    case Reason::kBootAggregateDiffers:
      return "boot-aggregate-differs";
    case Reason::kBootManifestMissing:
      return "boot-manifest-missing";
    case Reason::kBootManifestLate:
      return "boot-manifest-late";
    case Reason::kBootManifestRepeated:
      return "boot-manifest-repeated";
    case Reason::kManifestMissing:
      return "manifest-missing";
    case Reason::kManifestExtra:
      return "manifest-extra";
    case Reason::kManifestMalformed:
      return "manifest-malformed";
    case Reason::kManifestPath:
      return "manifest-path";
    case Reason::kManifestChain:
      return "manifest-chain";
    case Reason::kModeDiffers:
      return "mode-differs";
    case Reason::kMonitored:
      return "monitored";
    case Reason::kLoaderUnknown:
      return "loader-unknown";
    case Reason::kProgramUnknown:
      return "program-unknown";
    case Reason::kImaPolicyUnknown:
      return "ima-policy-unknown";
    case Reason::kKeyUntrusted:
      return "key-untrusted";
    case Reason::kWeakHash:
      return "weak-hash";
    case Reason::kListUntrusted:
      return "list-untrusted";
    case Reason::kVersionTooOld:
      return "version-too-old";
    case Reason::kRevocationsTooOld:
      return "revocations-too-old";
    case Reason::kUnknownFile:
      return "unknown-file";
    case Reason::kViolation:
      return "violation";
  }
  return "";  // not reached: the compiler checks that the switch is complete
}

}  // namespace diglim
