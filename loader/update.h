// SPDX-License-Identifier: Apache-2.0
// Changing what is loaded: verify, add or remove, publish. One loader at a time.
#pragma once

#include <functional>
#include <string>

#include "lib/base/file.h"
#include "lib/generation/generation.h"
#include "lib/manifest/manifest.h"
#include "lib/trust/trust_store.h"

namespace diglim {

// Keeps other loaders waiting as long as the descriptor lives; waits itself for at most 30 seconds.
Result<Fd> take_lock();

// Runs `change` on the current generation and publishes the result, or nothing if it returns an error or
// false. While it works, other loaders wait, at most 30 seconds. kNotFound: DIGLIM is not active.
// `trust`: the frozen keys, less what deny lists in force take back; granted keys are the caller's to add.
// `monitor`: `change` fills it if monitor mode begins by that publication, and it is measured before.
struct Published {
  bool changed = false;
  uint64_t number = 0;
  size_t digests = 0;
  size_t lists = 0;
};
Result<Published> update_generation(
    const std::function<Result<bool>(Generation& generation, TrustStore& trust)>& change,
    const ManifestMonitor* monitor = nullptr);

}  // namespace diglim
