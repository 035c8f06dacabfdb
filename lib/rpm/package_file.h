// SPDX-License-Identifier: Apache-2.0
// The .rpm file (rpm: lib/package.c, lib/rpmlead.c): where its header lies, and the signatures over it.
// FORMAT.md has the grammar and the limits.
#pragma once

#include <utility>
#include <vector>

#include "lib/base/bytes.h"

namespace diglim::rpm {

// Ours: rpm has no limit on the values of tag 278, and each may cost a hash of the whole header.
constexpr size_t kMaxSignatures = 64;

// Where the signed part of an .rpm file lies, and the signatures over it. Nothing else was interpreted, for
// nothing was verified yet: only sizes, the geometry of the regions, and the tags 267, 268 and 278 of the
// signature header.
struct SignedHeader {
  ByteView signed_bytes;  // 8eade80100000000 || il || dl || index || data of the main header, in the caller's
                          // bytes
  uint64_t header_offset = 0;  // of signed_bytes in the file
  // Raw OpenPGP packets of tags 267, 268 and 278 (all values, decoded), each with the offset of its tag data
  // in the file. None: there is no header signature. Signatures over header and payload (1002, 1005) are not
  // looked at.
  std::vector<std::pair<Bytes, uint64_t>> signatures;
};

// An .rpm file from its lead on; the payload may be missing. Errors: kCorrupt with the offset.
Result<SignedHeader> locate_package(ByteView file);
// How many leading bytes of an .rpm file locate_package() needs, from its first 112 bytes or as much as is
// known: call again with that many until the answer no longer grows. kCorrupt if this cannot be a package.
// Never more than what the limits above add up to (about 321 MiB), whatever the file claims.
Result<size_t> package_head_size(ByteView start_of_file);

// True if the bytes begin as a package's lead does.
bool looks_like_package(ByteView bytes);

}  // namespace diglim::rpm
