// SPDX-License-Identifier: Apache-2.0
// What a key file says of its key, checked as far as that goes without a TPM: the policy in the file must be
// the one that the key was made with. PolicyPCR, PolicyNV of a counter (counter.h) and PolicyAuthorize only,
// SHA-256.
#pragma once

#include <optional>

#include "lib/tpm/key_file.h"
#include "lib/tpm/sealed.h"

namespace diglim {

struct PcrStatement {
  TPML_PCR_SELECTION selection;
  TPM2B_DIGEST digest;  // of the registers' values; empty: whatever they hold
};

struct Approval {
  TPM2B_PUBLIC authority;
  TPM2B_NONCE reference;
  TPMT_SIGNATURE signature;
  Bytes name;      // of the authority
  Bytes approved;  // the policy that it signed
};

// One way to satisfy the policy: all statements, in this order, then the approval if there is one.
struct PolicyWay {
  std::vector<PcrStatement> pcrs;
  std::optional<CounterLimit> limit;
  std::optional<Approval> approval;
};

struct TpmKeyParts {
  TPM2_HANDLE parent;
  TPM2B_PUBLIC public_part;
  TPM2B_PRIVATE private_part;
  std::vector<PolicyWay> ways;  // newest last; none: the key needs no policy
};

// kCorrupt: parts that are no TPM structures, or have bytes after them; policy and key that do not fit each
// other; a policy that says nothing of the registers. kUnsupported: no signing key for ECDSA P-256, P-384 or
// RSA of 2048 bits and more; one that has a password, or that can be used without its policy; other policy
// commands, or another order; other NV indices and comparisons than of counter.h; other parents.
Result<TpmKeyParts> read_key_parts(const KeyFile& file);

// For a file: the registers have these values; and such an approval of them.
Result<PolicyCommand> pcr_command(const PcrSelection& selection, const std::map<unsigned, Bytes>& values);
Result<PolicyCommand> counter_command(const CounterLimit& limit);
// `authorize_key`: PEM, public. kUntrusted: the signature is not that key's.
Result<PolicyCommands> approved_commands(const std::string& authorize_key, const Authorization& approval);

}  // namespace diglim
