// SPDX-License-Identifier: Apache-2.0
// What a verifier keeps of the manifests that it judged, so that machines of one kind cost it one of them.
#pragma once

#include <list>
#include <map>
#include <mutex>
#include <tuple>

#include "lib/attest/judged_manifest.h"

namespace diglim {

// By the hash that the log measured them with, and by what their lists had to be. The one asked for longest
// ago goes first. Thread-safe. Who fills it sees to it that no stranger can push out what others use
// (Verifier keeps manifests of trusted machines only).
class ManifestStore {
 public:
  static constexpr size_t kMaxManifests = 1024;
  static constexpr size_t kMaxBytes = 64u << 20;  // of content; in memory up to six times as much

  explicit ManifestStore(size_t max_manifests = kMaxManifests, size_t max_bytes = kMaxBytes)
      : max_manifests_(max_manifests), max_bytes_(max_bytes) {}

  // Null if it is not there. If it was judged for other lists only, it is judged anew; kInvalid if OpenSSL
  // fails.
  Result<JudgedManifestPtr> find(HashAlgo algo, ByteView digest, const VerifierPolicy& policy);
  // Passes over what is larger than all it may hold, and digests of algorithms for which two manifests could
  // be made that share one (shorter than SHA-2's). REQUIRES: it has its content, of which that is the digest;
  // it was judged by this policy, whose `accepted` outlives the store.
  void keep(HashAlgo algo, ByteView digest, const VerifierPolicy& policy, JudgedManifestPtr manifest);

  size_t size() const;

 private:
  using Key = std::tuple<HashAlgo, Bytes, const AcceptedLists*>;
  using Entries = std::list<std::pair<Key, JudgedManifestPtr>>;  // used last in front

  size_t max_manifests_;
  size_t max_bytes_;
  mutable std::mutex mutex_;
  Entries entries_;
  std::map<Key, Entries::iterator> by_key_;
  size_t bytes_ = 0;
};

}  // namespace diglim
