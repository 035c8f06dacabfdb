// SPDX-License-Identifier: Apache-2.0
// RPM headers (rpm: lib/header.c, docs/manual/format_header.md): the immutable region, its signatures, its file digests.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/crypto/hash.h"

namespace diglim::rpm {

// rpm's own limits (lib/header.c: HEADER_TAGS_MAX, HEADER_DATA_MAX).
constexpr uint32_t kMaxIndexEntries = 0x0000ffff;
constexpr uint32_t kMaxDataBytes = 0x0fffffff;

// Where the parts of an .rpm file or of a header list lie. Nothing is interpreted yet but sizes: this is all that happens
// before a signature was verified.
struct SignedHeader {
  ByteView signed_bytes;     // 8eade80100000000 || il || dl || index || data of the immutable region
  uint64_t header_offset = 0;
  // Raw OpenPGP packets of tags 267, 268 and 278 (all values), each with its offset in the file.
  std::vector<std::pair<ByteView, uint64_t>> signatures;
};

// An .rpm file from its lead on; the payload may be missing. Errors: kCorrupt with the offset.
Result<SignedHeader> locate_package(ByteView file);
// How many leading bytes of an .rpm file locate_package() needs, from its first 112 bytes or as much as is known:
// call again with that many until the answer no longer grows. kCorrupt if this cannot be a package.
Result<size_t> package_head_size(ByteView start_of_file);

// What a verified header says.
struct Package {
  std::string nevra;  // "name-[epoch:]version-release.arch", unescaped
  std::vector<std::pair<HashAlgo, Bytes>> digests;  // at most one algorithm in practice; concatenated binary digests
};

// REQUIRES: a trusted signature over `signed_bytes` was verified. Errors: kCorrupt with the offset in the file
// (header_offset is added), kUnsupported (an unknown FILEDIGESTALGO).
Result<Package> read_package(ByteView signed_bytes, uint64_t header_offset);

}  // namespace diglim::rpm
