// SPDX-License-Identifier: Apache-2.0
// A compact list of files, signed: what compact_gen and `diglim allow` make.
#pragma once

#include <string>

#include "lib/base/bytes.h"
#include "lib/cms/cms_sign.h"
#include "tools/file_digests.h"

namespace diglim {

// The loader reads 256 MiB, signature included.
constexpr size_t kMaxCompactBytes = 255u << 20;

// kUnsupported: too many for one list.
Result<Bytes> make_compact_list(const FileDigests& digests, HashAlgo algo, bool immutable);

// Appends the signature, and then looks at the result with the loader's eyes: a list that it would refuse is
// an error. Returns the signer, for people. Errors: as sign_cms() and verify_cms().
Result<std::string> sign_compact_list(Bytes& list, const std::string& key, const std::string& certificate,
                                      const Passphrase& passphrase = {});

}  // namespace diglim
