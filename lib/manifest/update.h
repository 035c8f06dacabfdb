// SPDX-License-Identifier: Apache-2.0
// From one set of lists to the next: which manifests are measured, and when. The loader and the predictor
// share this function.
#pragma once

#include <optional>
#include <span>

#include "lib/manifest/manifest.h"

namespace diglim {

struct WrittenManifest {
  uint64_t number = 0;
  Bytes content;
  Bytes hash;  // SHA-256 of content
};

struct UpdatePlan {
  std::optional<WrittenManifest> before_publishing;  // kAdd, kMonitor
  std::optional<WrittenManifest> after_publishing;   // kRemove
  // Of the last manifest, counting those above: the arguments of the next plan_update().
  uint64_t last_number = 0;
  Bytes last_hash;
};

// Added lists are measured before publishing, removed lists after it. So if the loader ends in between, the
// manifests name at least the lists that the kernel accepts. If the content of a list changed under the same
// name, the list is added and removed. Most updates need one of the two. `last_number` and `last_hash` are of
// the manifest measured last; names in `before` and in `after` are unique. `deny_lists`: those that were not
// in force before; measured after publishing, since until then what they revoke counts. `keys`: those that
// were not granted before; measured before publishing, as what they signed. kInvalid as write_manifest().
Result<UpdatePlan> plan_update(uint64_t last_number, ByteView last_hash, std::span<const ManifestList> before,
                               std::span<const ManifestList> after,
                               std::vector<ManifestDenyList> deny_lists = {},
                               std::vector<ManifestKey> keys = {});

// The manifest that says that monitor mode begins; measured before publishing. kInvalid as write_manifest().
Result<UpdatePlan> plan_monitor(uint64_t last_number, ByteView last_hash, const ManifestMonitor& monitor);

}  // namespace diglim
