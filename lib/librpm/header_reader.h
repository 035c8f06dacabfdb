// SPDX-License-Identifier: Apache-2.0
// What a digest list needs of a package's header, as librpm has it. For rpm_gen and the plugin.
#pragma once

#include <string>
#include <vector>

#include "lib/base/bytes.h"

struct headerToken_s;  // librpm's Header points to it

namespace diglim {

struct InstalledPackage {
  std::string name;            // as they stand in the header, unescaped
  std::string nvr;             // name-version-release
  std::string nvra;            // with .arch
  Bytes region;                // RPMTAG_HEADERIMMUTABLE, without magic; empty if the header has none
  std::vector<Bytes> packets;  // values of the tags 268, 267 and, decoded, 278
};

// Nothing is verified. The header stays the caller's.
InstalledPackage read_header(headerToken_s* header);

}  // namespace diglim
