// SPDX-License-Identifier: Apache-2.0
// RPM headers (rpm: lib/header.c, lib/package.c, docs/manual/format_header.md): the immutable region, its
// signatures, its file digests. FORMAT.md has the grammar, the limits and an example.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/crypto/hash.h"

namespace diglim::rpm {

// rpm's own limits (lib/header.c: HEADER_TAGS_MAX, HEADER_DATA_MAX, and hdrblobVerifyLengths() for the
// signature header).
constexpr uint32_t kMaxIndexEntries = 0x0000ffff;
constexpr uint32_t kMaxDataBytes = 0x0fffffff;
constexpr uint32_t kMaxSignatureIndexEntries = 32;
constexpr uint32_t kMaxSignatureDataBytes = 64u << 20;
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

// True if the bytes begin as a header does (magic and reserved bytes), respectively as a package's lead does.
bool looks_like_header(ByteView bytes);
bool looks_like_package(ByteView bytes);

// That `bytes` are exactly one main header whose immutable region is all of it: what may be signed bytes. The
// same checks as locate_package() makes. kCorrupt with the offset; `offset` is where `bytes` start in the
// file.
Result<void> check_main_header(ByteView bytes, uint64_t offset);

// What a verified header says.
struct Package {
  std::string nevra;  // "name-[epoch:]version-release.arch", unescaped; the arch of a source package is "src"
  // At most one algorithm in practice; concatenated binary digests.
  std::vector<std::pair<HashAlgo, Bytes>> digests;
  // Files, if the header has no digests (FILEDIGESTS) at all. rpm installs such a package with --nofiledigest
  // only.
  uint32_t undigested = 0;
};

// Checks every entry of the index as rpm does, then reads name and digests. The region is checked once more,
// so that no order of calls is needed for safety, only for trust. REQUIRES: a trusted signature over
// `signed_bytes` was verified. Errors: kCorrupt with the offset in the file (header_offset is added),
// kUnsupported (an unknown FILEDIGESTALGO).
Result<Package> read_package(ByteView signed_bytes, uint64_t header_offset);

}  // namespace diglim::rpm
