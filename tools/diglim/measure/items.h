// SPDX-License-Identifier: Apache-2.0
// What manifests name: lists, keys, deny lists. Two sides compared, whichever manifest each is in.
#pragma once

#include <string>
#include <vector>

#include "lib/manifest/manifest.h"

namespace diglim {

struct Difference;  // differences.h

struct MeasuredItem {
  enum class Kind { kList, kRemovedList, kKey, kDenyList };
  Kind kind = Kind::kList;
  std::string name;     // of the file; a key's fingerprint
  std::string content;  // hash
  std::string about;    // package, signer, serial; printable; may be empty
  ManifestKind in = ManifestKind::kBoot;
  uint64_t number = 1;  // of the manifest
  size_t extend = 0;    // that measures it
};

void add_items(const Manifest& manifest, size_t extend, std::vector<MeasuredItem>& items);

// Appends to `found`: what one side lacks, has with other content, or has in another manifest.
void items_differ(const std::vector<MeasuredItem>& predicted, const std::vector<MeasuredItem>& measured,
                  std::vector<Difference>& found);

}  // namespace diglim
