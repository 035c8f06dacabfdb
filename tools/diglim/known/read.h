// SPDX-License-Identifier: Apache-2.0
// Reads what a system knows: its keys, its lists, its packages. With the loader's own verification.
#pragma once

#include <string>

#include "tools/diglim/host.h"
#include "tools/diglim/known/cause.h"

namespace diglim::known {

struct ReadOptions {
  std::string keys;       // directory of trusted keys; empty: the host's
  std::string dbpath;     // directory of the rpm database; empty: as rpm is configured
  bool rpm_keys = false;  // those of rpm's keyring count, too
  bool files = true;      // which package ships which path (half of the time)
  bool progress = false;
};

// Which lists count: those in /etc/digest_lists. Before `diglim setup` there is none of a package; then each
// package of the rpm database counts as if it had its list. Where no key is trusted yet, those of rpm's
// keyring are assumed. Both are said in System::notes, as is what could not be read. Errors: the keys cannot
// be read.
Result<System> read_system(const Host& host, const ReadOptions& options);

}  // namespace diglim::known
