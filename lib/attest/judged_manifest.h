// SPDX-License-Identifier: Apache-2.0
// A manifest that was measured, read and judged. It is content, so all of it follows from its hash and the
// policy, whoever sent it.
#pragma once

#include <memory>
#include <vector>

#include "lib/attest/finding.h"
#include "lib/attest/policy.h"

namespace diglim {

struct JudgedManifest {
  Bytes content;  // only of those that a ManifestStore keeps: the bundle has it
  Bytes sha256;   // of the content, as the next manifest names it
  Result<Manifest> manifest = Manifest();
  bool lists_accepted = false;  // judge_list() has nothing to say of any
};
using JudgedManifestPtr = std::shared_ptr<const JudgedManifest>;  // never null unless said

// kInvalid if OpenSSL fails. That it cannot be read is no error: `manifest` says so.
// Without a copy of the content, which is the caller's to add.
Result<std::shared_ptr<JudgedManifest>> judge_manifest(ByteView content, const VerifierPolicy& policy);

// What the policy has against the list: nothing, or a finding for each thing.
std::vector<Finding> judge_list(const ManifestList& list, const VerifierPolicy& policy);

}  // namespace diglim
