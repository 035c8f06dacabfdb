// SPDX-License-Identifier: Apache-2.0
// From the digest in the log to the manifest: in the bundle, or among those that the verifier keeps.
#pragma once

#include <optional>
#include <set>

#include "lib/attest/manifest_store.h"

namespace diglim {

// And keys, programs and deny lists: in memory each is several times as large as in the bundle. Also what all
// events of a log together may change.
constexpr size_t kMaxListsOfABundle = 8 * kMaxManifestLists;

class MeasuredManifests {
 public:
  // `sent` and `policy` must outlive it; `store` may be null.
  MeasuredManifests(const std::vector<ByteView>& sent, const VerifierPolicy& policy, ManifestStore* store)
      : sent_(sent), policy_(policy), store_(store), judged_(sent.size()), used_(sent.size(), false) {}

  // Null: there is none. Errors as judge_manifest(); kUnsupported: kMaxListsOfABundle.
  Result<JudgedManifestPtr> find(HashAlgo algo, ByteView digest);
  bool used(size_t i) const { return used_[i]; }  // sent_[i] was found
  // In the store, if there is one, all that was found.
  void keep();

 private:
  using Key = std::pair<HashAlgo, Bytes>;
  Result<JudgedManifestPtr> look_for(const Key& key);
  Result<std::optional<size_t>> place_of(const Key& key);

  const std::vector<ByteView>& sent_;
  const VerifierPolicy& policy_;
  ManifestStore* store_;
  std::map<Key, JudgedManifestPtr> found_;
  std::vector<JudgedManifestPtr> judged_;                  // of sent_; null: not yet
  std::map<size_t, std::shared_ptr<JudgedManifest>> new_;  // those in judged_ that the store had not
  std::vector<bool> used_;
  std::set<HashAlgo> hashed_;      // with which all of sent_ were
  std::map<Key, size_t> by_hash_;  // the first of sent_
  size_t next_ = 0;                // behind the last of sent_ that was found
  size_t lists_ = 0;               // in new_, and so on
};

}  // namespace diglim
