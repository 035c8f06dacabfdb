// SPDX-License-Identifier: Apache-2.0
// From one set of lists to the next: which manifests are measured, and when. The loader does it, the
// predictor foretells it, both with this function.
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
  std::optional<WrittenManifest> before_publishing;  // kAdd
  std::optional<WrittenManifest> after_publishing;   // kRemove
  // Of the last manifest, counting those above: the arguments of the next plan_update().
  uint64_t last_number = 0;
  Bytes last_hash;
};

// Measured before publishing: what is added; after it: what is removed. So whatever ends the loader in
// between, a verifier never believes in less than what the kernel accepts. A list whose content changed under
// the same name is added and removed. Most updates need one of the two. `last_number` and `last_hash` are of
// the manifest measured last; names in `before` and in `after` are unique. kInvalid as write_manifest().
Result<UpdatePlan> plan_update(uint64_t last_number, ByteView last_hash, std::span<const ManifestList> before,
                               std::span<const ManifestList> after);

}  // namespace diglim
