// SPDX-License-Identifier: Apache-2.0
// rpm's paths are those of the package: on a merged /usr, /bin/sh lies at /usr/bin/sh.
#pragma once

#include <string>
#include <unordered_map>

#include "lib/base/file.h"

namespace diglim::known {

// Remembers each directory. Not thread-safe.
class LinkResolver {
 public:
  explicit LinkResolver(const std::string& root);  // "": the running system's

  // The path with no link among its directories, seen from the root, out of which no link leads. As it is if
  // the directory is not there, or the kernel (before 5.6) cannot say.
  std::string resolve(const std::string& path);

 private:
  Fd root_;
  std::string real_root_;
  std::unordered_map<std::string, std::string> folders_;
};

}  // namespace diglim::known
