// SPDX-License-Identifier: Apache-2.0
// A key that only its TPM can use, in a file: ASN.1 TPMKey, as PEM "TSS2 PRIVATE KEY"
// (draft-bottomley-tpm2-keys). Loadable keys (2.23.133.10.1.3) only. See FORMAT.md.
#pragma once

#include <tss2/tss2_tpm2_types.h>

#include <string>
#include <string_view>
#include <vector>

#include "lib/base/bytes.h"

namespace diglim {

constexpr char kKeyPemName[] = "TSS2 PRIVATE KEY";
constexpr size_t kMaxKeyFileBytes = 256u << 10;

// One command of a policy, with the parameters that follow its session handle, as the TPM takes them.
struct PolicyCommand {
  TPM2_CC code = 0;
  Bytes parameters;
};
using PolicyCommands = std::vector<PolicyCommand>;

struct KeyFile {
  TPM2_HANDLE parent = TPM2_RH_OWNER;  // that hierarchy's primary key, or a persistent key
  bool empty_auth = true;              // needs no password
  bool rsa_parent = false;
  PolicyCommands policy;                     // `policy`
  std::vector<PolicyCommands> alternatives;  // `authPolicy`: each is one more way
  Bytes public_part;                         // TPM2B_PUBLIC
  Bytes private_part;                        // TPM2B_PRIVATE
  std::string description;                   // whatever its maker wrote; none: empty
};

Result<Bytes> write_key_der(const KeyFile& key);
Result<std::string> write_key_pem(const KeyFile& key);

// Takes the ASN.1 apart, and no more: what its octets mean says KeyPolicy (key_policy.h). kCorrupt: not such
// a structure, bytes after it, an empty policy, more than 64 ways or 8 commands in one. kUnsupported: another
// kind of key, or one that wants a secret.
Result<KeyFile> read_key_der(ByteView der);
// The first block of that name. kCorrupt: there is none.
Result<KeyFile> read_key_pem(std::string_view pem);
// `text` with `key` in the place of its block of that name; what stands around it, such as certificates,
// stays. kCorrupt: there is none; kInvalid: there are two.
Result<std::string> replace_key_pem(std::string_view text, const KeyFile& key);

}  // namespace diglim
