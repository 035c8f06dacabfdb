// SPDX-License-Identifier: Apache-2.0
// What a digest list needs of a package's header, as librpm has it. For rpm_gen and the plugin.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/crypto/hash.h"

struct headerToken_s;  // librpm's Header points to it

namespace diglim {

// A regular file that a package ships.
struct PackagedFile {
  std::string path;              // as the header has it: its directories may be links today
  std::optional<HashAlgo> algo;  // nothing: one that we do not know
  Bytes digest;                  // empty: the package has none for it (a ghost)
  bool is_config = false;        // rpm keeps what the admin made of it
  uint64_t size = 0;             // in bytes
};

struct InstalledPackage {
  std::string name;                 // as they stand in the header, unescaped
  std::string nvr;                  // name-version-release
  std::string nvra;                 // with .arch
  Bytes region;                     // RPMTAG_HEADERIMMUTABLE, without magic; empty if the header has none
  std::vector<Bytes> packets;       // values of the tags 268, 267 and, decoded, 278
  uint64_t installed = 0;           // when: seconds since 1970; 0: not known
  std::vector<PackagedFile> files;  // if they were asked for
};

// Nothing is verified. The header stays the caller's.
InstalledPackage read_header(headerToken_s* header);
std::vector<PackagedFile> read_files(headerToken_s* header);

}  // namespace diglim
