// SPDX-License-Identifier: Apache-2.0
// The one door through which unverified bytes become granted keys.
#pragma once

#include <span>

#include "lib/trust/trust_store.h"

namespace diglim {

// The generation keeps them, and each next one holds a copy.
constexpr size_t kMaxGrants = 64;
constexpr size_t kMaxGrantBytes = 1u << 20;  // of key files, all together

// A statement that was verified.
struct Grant {
  std::string signer;  // who granted, for people
  Bytes keys;          // a file of keys, as TrustStore takes it
  bool operator==(const Grant&) const = default;
};

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

// As the kernel keeps them, frozen. Layout in lib/trust/FORMAT.md. Nothing is verified again: REQUIRES the
// bytes of a grants_to_blob(). kCorrupt with the offset.
Bytes grants_to_blob(std::span<const Grant> grants);
Result<std::vector<Grant>> grants_from_blob(ByteView blob);

}  // namespace diglim
