// SPDX-License-Identifier: Apache-2.0
// The one door through which unverified bytes become a deny list.
#pragma once

#include "lib/trust/trust_store.h"

namespace diglim {

// Largest file: the text and its signature.
constexpr size_t kMaxDenyFileBytes = kMaxDenyListBytes + (512u << 10);

// The signature first (CMS, appended as to a compact list), then the text. A key that `trust` has revoked
// signs none. No digest list begins as a deny list does, so what was signed as the one is never read as the
// other. Errors: as verify_digest_list() and read_deny_list().
Result<SignedDenyList> verify_deny_list(ByteView file, const TrustStore& trust);

// All files in `folder`, those of lower serials first, into trust.deny(): so what a key signed after an older
// list revoked it does not count. Names that begin with a dot and directories are passed over, and so is what
// is in force already, whoever signed it. A file that cannot be read or verified is left out and named: one
// bad file must not keep a host from booting, and who can damage it could remove it, which no machine notices
// by itself (see the serial in the manifest). The same of a folder that cannot be read. Without the folder
// nothing is denied. Errors: none of files.
struct DenyListsRead {
  bool changed = false;  // something counts that did not before
  std::vector<Error> left_out;
  std::vector<std::string> superseded;  // files of lower serials than are in force, and which; for people
};
Result<DenyListsRead> read_deny_lists(const std::string& folder, TrustStore& trust);

}  // namespace diglim
