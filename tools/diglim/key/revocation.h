// SPDX-License-Identifier: Apache-2.0
// Revocation certificates as `gpg --gen-revoke` makes them: one signature, without the key that it revokes.
#pragma once

#include <string>
#include <vector>

#include "lib/base/bytes.h"

namespace diglim::key {

// Does the file hold OpenPGP signatures and nothing else, armoured or not? The loader would leave it out.
bool is_revocation(ByteView file);

// Together with the key that it revokes: the bytes of a file that the loader takes for a copy of that key, so
// that the two are merged, whatever other copies lie beside it.
struct Joined {
  std::string fingerprint;  // hexadecimal
  Bytes file;               // binary
  bool hard = false;        // all that the key ever signed is void; else what it signs from then on
};

// `trusted`: the contents of files of keys. Errors: kNotFound (none of them is revoked by it: of another key,
// damaged, forged), kCorrupt.
Result<Joined> join_revocation(ByteView revocation, const std::vector<Bytes>& trusted);

}  // namespace diglim::key
