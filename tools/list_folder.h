// SPDX-License-Identifier: Apache-2.0
// The directory that rpm_gen fills with lists.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lib/base/bytes.h"

namespace diglim {

class ListFolder {
 public:
  explicit ListFolder(std::string path) : path_(std::move(path)) {}

  // Writes the list of this package, atomically; a file that already holds these bytes is left alone, so that
  // a second run is cheap. Of two packages with one name-version-release.arch and different lists (they
  // differ in epoch, say) the second gets a suffix made from its content. Errors: kIo.
  Result<void> write(const std::string& nvra, ByteView list);

  // Removes lists of packages (by their prefix) that were not written through this object, and what an
  // interrupted run left. Returns their names. Errors: kIo.
  Result<std::vector<std::string>> prune();

  std::string path_of(const std::string& name) const {
    return path_ + (path_.ends_with('/') ? "" : "/") + name;
  }
  std::vector<std::string> names() const;  // of all lists that are now there, sorted
  size_t written() const { return written_; }
  size_t unchanged() const { return unchanged_; }

 private:
  std::string path_;
  std::map<std::string, Bytes> hashes_;  // name of a list: SHA-256 of its bytes
  size_t written_ = 0;
  size_t unchanged_ = 0;
};

}  // namespace diglim
