// SPDX-License-Identifier: Apache-2.0
#include "lib/attest/lists_in_force.h"

#include <algorithm>

namespace diglim {

ListsInForce::Key ListsInForce::key_of(const ManifestList& list) {
  return {list.name, as_text(list.hash)};
}

// The manifest's lists are sorted by name, each name once (lib/manifest/FORMAT.md).
const ManifestList* ListsInForce::in_boot(const Key& key) const {
  if (!boot_) return nullptr;
  const std::vector<ManifestList>& lists = boot_->manifest->lists;
  const auto found = std::lower_bound(
      lists.begin(), lists.end(), key.first,
      [](const ManifestList& list, std::string_view name) { return std::string_view(list.name) < name; });
  return found != lists.end() && key_of(*found) == key ? &*found : nullptr;
}

void ListsInForce::boot(JudgedManifestPtr manifest) {
  size_ = manifest->manifest->lists.size();
  boot_ = std::move(manifest);
}

void ListsInForce::add(const JudgedManifestPtr& manifest) {
  later_.insert(manifest);
  for (const ManifestList& list : manifest->manifest->lists) {
    const Key key = key_of(list);
    const auto [change, is_new] = changes_.try_emplace(key, nullptr);
    const bool was_in_force = is_new ? in_boot(key) != nullptr : change->second != nullptr;
    if (!was_in_force) ++size_;
    change->second = &list;
  }
}

bool ListsInForce::remove(const ManifestList& list) {
  const Key key = key_of(list);
  const ManifestList* booted = in_boot(key);
  const auto change = changes_.find(key);
  if (change == changes_.end() ? booted == nullptr : change->second == nullptr) return false;
  // The key of what stays must not be a view into the manifest that removes.
  if (change != changes_.end()) changes_.erase(change);
  if (booted != nullptr) changes_.emplace(key_of(*booted), nullptr);
  --size_;
  return true;
}

void ListsInForce::judge(const VerifierPolicy& policy, const std::function<void(Finding)>& take) const {
  const auto look_at = [&](const ManifestList* list) {
    if (list == nullptr) return;
    for (Finding& finding : judge_list(*list, policy)) take(std::move(finding));
  };
  auto change = changes_.begin();
  if (boot_ && !boot_->lists_accepted) {
    for (const ManifestList& list : boot_->manifest->lists) {
      const Key key = key_of(list);
      for (; change != changes_.end() && change->first < key; ++change) look_at(change->second);
      if (change == changes_.end() || change->first != key) look_at(&list);
    }
  }
  for (; change != changes_.end(); ++change) look_at(change->second);
}

}  // namespace diglim
