// SPDX-License-Identifier: Apache-2.0
// What to say of files that a signed list names and that will be denied all the same.
#pragma once

#include <optional>
#include <string>

#include "lib/crypto/hash.h"

namespace diglim {

// Of `files` whose digests are of the algorithm `theirs`, or that have none, on a kernel that hashes with
// `kernel`: "its 3 files will be denied: their digests are md5, and the kernel hashes with sha256; ...", with
// what to do. Empty for 0 files. The advice is never another ima_hash: that would deny all other packages.
std::string not_counted_text(size_t files, std::optional<HashAlgo> theirs, HashAlgo kernel);

}  // namespace diglim
