// SPDX-License-Identifier: Apache-2.0
#include "lib/attest/manifest_store.h"

namespace diglim {
namespace {

constexpr size_t kLeastDigest = 28;  // SHA-224

}  // namespace

Result<JudgedManifestPtr> ManifestStore::find(HashAlgo algo, ByteView digest, const VerifierPolicy& policy) {
  const Key key(algo, to_bytes(digest), policy.accepted.get());
  JudgedManifestPtr other;
  {
    const std::lock_guard lock(mutex_);
    auto found = by_key_.find(key);
    const bool judged = found != by_key_.end();
    if (!judged) found = by_key_.lower_bound(Key(algo, std::get<Bytes>(key), nullptr));
    if (found == by_key_.end() || std::get<HashAlgo>(found->first) != algo ||
        std::get<Bytes>(found->first) != std::get<Bytes>(key))
      return JudgedManifestPtr();
    entries_.splice(entries_.begin(), entries_, found->second);
    if (judged) return found->second->second;
    other = found->second->second;
  }
  TRY_ASSIGN(const auto judged, judge_manifest(other->content, policy));
  judged->content = other->content;
  return JudgedManifestPtr(judged);
}

void ManifestStore::keep(HashAlgo algo, ByteView digest, const VerifierPolicy& policy,
                         JudgedManifestPtr manifest) {
  const size_t size = manifest->content.size();
  if (digest.size() < kLeastDigest || size > max_bytes_ || max_manifests_ == 0) return;
  Key key(algo, to_bytes(digest), policy.accepted.get());
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
