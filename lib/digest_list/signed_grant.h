// SPDX-License-Identifier: Apache-2.0
// The one door through which unverified bytes become granted keys.
#pragma once

#include <span>
#include <string_view>

#include "lib/trust/grant.h"
#include "lib/trust/trust_store.h"

namespace diglim {

// How a statement begins; a file of keys follows, then the signature. No digest list, deny list or other
// statement begins so, and none is read as another.
constexpr std::string_view kGrantMagic = "diglim-granted-keys 1\n";

// Largest file: the keys and the signature.
constexpr size_t kMaxGrantFileBytes = kMaxGrantBytes + (512u << 10);

// What is to be signed (CMS, appended as to a compact list).
Bytes write_grant(ByteView keys);
// First the signature, then the content. Errors: as verify_deny_list() and TrustStore::check_file().
// REQUIRES: nothing was granted to `trust`, so that no granted key grants.
Result<Grant> verify_grant(ByteView file, const TrustStore& trust);

// All files in `folder`, in the order of their names, less what adds nothing since the same file of keys is
// trusted anyway. One that cannot be read or verified is left out and named, as is what is beyond
// kMaxGrants: less trust is safe, and one bad file must not take others along. The same of the folder. Names
// that begin with a dot and directories are passed over. REQUIRES: as verify_grant().
struct GrantsRead {
  std::vector<Grant> grants;
  std::vector<Error> left_out;
};
GrantsRead read_grants(const std::string& folder, const TrustStore& trust);

}  // namespace diglim
