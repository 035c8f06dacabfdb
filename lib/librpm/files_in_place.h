// SPDX-License-Identifier: Apache-2.0
// Which files of a package lie on the disk as it shipped them.
#pragma once

#include <functional>
#include <string>
#include <unordered_set>
#include <vector>

#include "lib/installed/list_store.h"

namespace diglim {

// Answers Transaction::IsNeeded for the files below `root`, through librpm. Nothing is verified: the answer
// only keeps a list that the loader verifies.
class FilesInPlace {
 public:
  // `installed` gives the lists of all installed packages; it is called once, when first needed.
  using Installed = std::function<std::vector<PackageList>()>;
  FilesInPlace(std::string root, Installed installed)
      : root_(root == "/" ? "" : std::move(root)), installed_(std::move(installed)) {}

  bool needs(ByteView list);

 private:
  std::string root_;
  Installed installed_;
  bool is_known_ = false;
  std::unordered_set<std::string> known_;  // digests of the installed packages' files, in hexadecimal
};

}  // namespace diglim
