// SPDX-License-Identifier: Apache-2.0
// Who holds a file, as /proc tells.
#pragma once

#include <sys/stat.h>

#include <vector>

#include "tools/diglim/explain/advice.h"

namespace diglim::explain {

// Processes that have this inode open for writing; or mapped, with x. Only what this user may see: of others
// nothing. Not this process.
std::vector<Holder> find_writers(const struct stat& file);
std::vector<Holder> find_mappers(const struct stat& file);

}  // namespace diglim::explain
