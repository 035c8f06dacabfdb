// SPDX-License-Identifier: Apache-2.0
#include "lib/attest/manifest_store.h"

namespace diglim {
namespace {

constexpr size_t kLeastDigest = 28;  // SHA-224

}  // namespace

JudgedManifestPtr ManifestStore::find(HashAlgo algo, ByteView digest) {
  const Key key(algo, to_bytes(digest));
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->second;
}

void ManifestStore::keep(HashAlgo algo, ByteView digest, JudgedManifestPtr manifest) {
  const size_t size = manifest->content.size();
  if (digest.size() < kLeastDigest || size > max_bytes_ || max_manifests_ == 0) return;
  Key key(algo, to_bytes(digest));
  const std::lock_guard lock(mutex_);
  if (by_key_.contains(key)) return;
  while (entries_.size() >= max_manifests_ || bytes_ > max_bytes_ - size) {
    bytes_ -= entries_.back().second->content.size();
    by_key_.erase(entries_.back().first);
    entries_.pop_back();
  }
  entries_.emplace_front(key, std::move(manifest));
  by_key_.emplace(std::move(key), entries_.begin());
  bytes_ += size;
}

size_t ManifestStore::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace diglim
