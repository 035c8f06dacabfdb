// SPDX-License-Identifier: Apache-2.0
#include "lib/attest/measured_manifests.h"

namespace diglim {
namespace {

size_t parts_of(const Manifest& manifest) {
  return manifest.lists.size() + manifest.deny_lists.size() + manifest.keys.size() +
         manifest.boot.keys.size() + manifest.boot.programs.size();
}

}  // namespace

Result<JudgedManifestPtr> MeasuredManifests::find(HashAlgo algo, ByteView digest) {
  const Key key(algo, to_bytes(digest));
  const auto known = found_.find(key);
  if (known != found_.end()) return known->second;
  TRY_ASSIGN(JudgedManifestPtr manifest, look_for(key));
  if (manifest) found_.emplace(key, manifest);
  return manifest;
}

Result<JudgedManifestPtr> MeasuredManifests::look_for(const Key& key) {
  JudgedManifestPtr kept;
  if (store_ != nullptr) {
    TRY_ASSIGN(kept, store_->find(key.first, key.second, policy_));
  }
  // The bundle has them in the order of the log. Comparing costs a fraction of hashing, and says as much.
  if (kept && next_ < sent_.size() && as_text(kept->content) == as_text(sent_[next_])) {
    used_[next_++] = true;
    return kept;
  }
  TRY_ASSIGN(const auto place, place_of(key));
  if (!place) return kept;  // left out, or unknown
  used_[*place] = true;
  next_ = *place + 1;
  JudgedManifestPtr& judged = judged_[*place];
  if (kept) judged = std::move(kept);
  if (!judged) {
    if (lists_ > kMaxListsOfABundle)
      return unsupported("the manifests before it have more than " + std::to_string(kMaxListsOfABundle) +
                         " lists and keys");
    TRY_ASSIGN(const auto fresh, judge_manifest(sent_[*place], policy_));
    if (fresh->manifest) lists_ += parts_of(*fresh->manifest);
    new_.emplace(*place, fresh);
    judged = fresh;
  }
  return judged;
}

Result<std::optional<size_t>> MeasuredManifests::place_of(const Key& key) {
  if (hashed_.insert(key.first).second) {
    for (size_t i = 0; i < sent_.size(); ++i) {
      TRY_ASSIGN(Bytes digest, hash(key.first, {sent_[i]}));
      by_hash_.emplace(Key(key.first, std::move(digest)), i);
    }
  }
  const auto found = by_hash_.find(key);
  return found == by_hash_.end() ? std::optional<size_t>() : found->second;
}

void MeasuredManifests::keep() {
  if (store_ == nullptr) return;
  size_t room = ManifestStore::kMaxBytes;
  for (const auto& [place, manifest] : new_) {
    if (sent_[place].size() > room) break;
    room -= sent_[place].size();
    manifest->content = to_bytes(sent_[place]);
  }
  for (const auto& [key, manifest] : found_) {
    if (!manifest->content.empty()) store_->keep(key.first, key.second, policy_, manifest);
  }
}

}  // namespace diglim
