// SPDX-License-Identifier: Apache-2.0
// Keys that a trusted key granted while the system runs (decision D7).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "lib/base/bytes.h"

namespace diglim {

// The generation keeps them, and each next one holds a copy.
constexpr size_t kMaxGrants = 64;
constexpr size_t kMaxGrantBytes = 1u << 20;  // of key files, all together

// A statement that was verified.
struct Grant {
  std::string signer;  // who granted, for people
  Bytes keys;          // a file of keys, as TrustStore takes it
  bool operator==(const Grant&) const = default;
};

// As the kernel keeps them, frozen. Layout in FORMAT.md. Nothing is verified again: REQUIRES the bytes of a
// grants_to_blob(). kCorrupt with the offset.
Bytes grants_to_blob(std::span<const Grant> grants);
Result<std::vector<Grant>> grants_from_blob(ByteView blob);

}  // namespace diglim
