// SPDX-License-Identifier: Apache-2.0
// The digest lists that count after the manifests of one boot.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string_view>

#include "lib/attest/judged_manifest.h"

namespace diglim {

// The lists of the boot manifest, and what changed since: a machine costs what it changed, not what it has.
// Owns its share of the manifests.
class ListsInForce {
 public:
  // REQUIRES: of all of these, that the manifest could be read.
  void boot(JudgedManifestPtr manifest);  // REQUIRES: nothing was added before
  void add(const JudgedManifestPtr& manifest);
  bool remove(const ManifestList& list);  // false: it was not in force

  size_t size() const { return size_; }
  // Calls take() for the findings of judge_list() on each, sorted by name and hash of the list: one at a
  // time, since all together may be larger than the evidence.
  void judge(const VerifierPolicy& policy, const std::function<void(Finding)>& take) const;

 private:
  using Key = std::pair<std::string_view, std::string_view>;  // name and hash
  static Key key_of(const ManifestList& list);
  const ManifestList* in_boot(const Key& key) const;

  JudgedManifestPtr boot_;                      // null before boot()
  std::set<JudgedManifestPtr> later_;           // a log may name one a million times
  std::map<Key, const ManifestList*> changes_;  // null: one of the boot's is gone
  size_t size_ = 0;
};

}  // namespace diglim
