// SPDX-License-Identifier: Apache-2.0
// The digest lists of installed packages in /etc/digest_lists of one root.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lib/base/folder.h"
#include "lib/digest_list/package_list.h"

namespace diglim {

constexpr std::string_view kListFolder = "etc/digest_lists";

class ListStore {
 public:
  static Result<ListStore> open(const std::string& root);

  // The file name under which this list is there, or will be. A package of the same
  // name-version-release.arch but other content (built anew, or of another epoch) gets a name of its own, so
  // that the old list stays valid as long as its files may lie on the disk. `all` are names().
  Result<std::string> name_of(const PackageList& list, const std::vector<std::string>& all) const;

  // The names under which lists of this package are there, whatever their content, and the one they usually
  // have. `all` are names().
  static Result<std::vector<std::string>> names_for(const std::string& nvra,
                                                    const std::vector<std::string>& all);

  // Writes those that are not there yet, with one sync. What could not be written is in `failed`; the others
  // are there for good when this returns.
  struct Written {
    std::vector<std::string> names;  // all that are there now, sorted
    size_t changed = 0;              // were not there before
    std::vector<Error> failed;
  };
  Written write(const std::vector<PackageList>& lists) const;

  // Of `names`, those whose file is there and holds none of `installed`.
  Result<std::vector<std::string>> stale(const std::vector<std::string>& names,
                                         const std::vector<PackageList>& installed) const;

  // Removes these files, and makes that last.
  Result<void> remove(const std::vector<std::string>& names) const;

  // Removes what interrupted writers left.
  Result<void> remove_unfinished() const;

  // All lists (not only of packages), sorted.
  Result<std::vector<std::string>> names() const;

  const Folder& folder() const { return folder_; }

 private:
  explicit ListStore(Folder folder) : folder_(std::move(folder)) {}
  bool holds(const std::string& name, ByteView list) const;

  Folder folder_;
};

}  // namespace diglim
