// SPDX-License-Identifier: Apache-2.0
// Who holds a file, as /proc tells.
#pragma once

#include <sys/stat.h>

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "tools/diglim/explain/advice.h"

namespace diglim::explain {

// Processes that have an inode open for writing; or mapped, with x. Only what this user may see: of others
// nothing. Not this process. All of /proc is read when the first one is asked for, and then no more.
class Holders {
 public:
  std::vector<Holder> writers(const struct stat& file);
  std::vector<Holder> mappers(const struct stat& file);

 private:
  using ByFile = std::map<std::pair<dev_t, ino_t>, std::vector<Holder>>;
  std::optional<ByFile> writers_;
  std::optional<ByFile> mappers_;
};

}  // namespace diglim::explain
