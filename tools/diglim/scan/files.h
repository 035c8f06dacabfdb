// SPDX-License-Identifier: Apache-2.0
// Finds the files of a system that count (scan/kind.h), and hashes them with all cores.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/diglim/host.h"
#include "tools/diglim/scan/cache.h"

namespace diglim::scan {

struct File {
  std::string path;  // as the system has it, unescaped
  Kind kind = Kind::kNone;
  std::string digest;  // raw; empty: it could not be read, or is too large (kMaxKnownBytes)
  std::string error;   // why it could not, printable
};

struct RefusedMount {
  std::string point;
  std::string why;  // "nfs4, whose content can change unseen"
};

struct Found {
  std::vector<File> files;  // those that count, by path
  std::vector<RefusedMount> refused;
  std::vector<std::string> unreadable;  // directories, with the reason, printable
  size_t from_cache = 0;                // of the files
  uint64_t hashed_bytes = 0;
};

struct FindOptions {
  std::vector<std::string> below;  // only these directories; empty: "/"
  std::vector<std::string> skip;   // and not these
  unsigned threads = 0;            // 0: as many as there are processors
};

// Goes through everything below, other mounts too, but for those that show the kernel's own state. A mount
// from which nothing may run is named and not gone through, unless it holds a directory that was asked for.
// `mounts`: Host::mounts(); none: nobody knows, as of an image. `options` have no link in them, and none is
// followed. A file that goes meanwhile is left out. `progress(done, of, name)`; `of` is 0 while directories
// are read. Stores in the cache.
Found find_files(const Host& host, const std::vector<Mount>& mounts, const FindOptions& options,
                 HashAlgo algo, Cache& cache,
                 const std::function<void(size_t done, size_t of, std::string_view name)>& progress);

}  // namespace diglim::scan
