// SPDX-License-Identifier: Apache-2.0
// Name and file digests of a package, from its header. FORMAT.md says which tags.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/crypto/hash.h"

namespace diglim::rpm {

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
