// SPDX-License-Identifier: Apache-2.0
// Inside tools/diglim/explain: opens what was denied. Whoever was denied may have put anything there since.
#pragma once

#include <sys/stat.h>

#include <string>

#include "lib/base/file.h"

namespace diglim::explain {

struct Named {
  Fd fd;  // O_PATH: nothing was opened yet, and no device acted
  struct stat info = {};
  bool only_root = false;  // root owns it and each directory above it, and nobody else may write there
};

// What lies at an absolute path of the system in `root` ("": the running one). The kernel logs paths without
// links, so a link in it is something else: kNotFound, as if nothing were there. kIo: it cannot be reached.
Result<Named> find_named(const std::string& root, const std::string& path);

// Opens a regular file to be read. REQUIRES: S_ISREG(named.info.st_mode). `path` is for messages.
Result<Fd> open_named(const Named& named, const std::string& path);

// The path with all links followed, seen from the root; as it is as far as nothing is there. An absolute
// path.
std::string follow_links(const std::string& root, const std::string& path);

}  // namespace diglim::explain
