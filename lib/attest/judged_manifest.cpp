// SPDX-License-Identifier: Apache-2.0
#include "lib/attest/judged_manifest.h"

#include <algorithm>

#include "lib/base/text.h"
#include "lib/manifest/reader.h"
#include "lib/rpm/version.h"

namespace diglim {
namespace {

// Nothing if it is new enough, or no package.
std::optional<std::string> too_old(const ManifestList& list, const VerifierPolicy& policy) {
  if (policy.accepted->minimum_versions.empty()) return std::nullopt;
  const auto package = rpm::split_nevra(list.package);
  if (!package) return std::nullopt;
  const auto minimum = policy.accepted->minimum_versions.find(package->name);
  if (minimum == policy.accepted->minimum_versions.end() ||
      rpm::compare_evr(package->evr, minimum->second) >= 0)
    return std::nullopt;
  return escape(list.package) + " is older than " + escape(minimum->second) + ", which the policy asks for";
}

}  // namespace

std::vector<Finding> judge_list(const ManifestList& list, const VerifierPolicy& policy) {
  std::vector<Finding> findings;
  if (policy.accepted->lists && !policy.accepted->lists->contains(list.hash))
    findings.push_back({Reason::kListUntrusted, "the digest list " + escape(list.name) + " " +
                                                    to_hex(list.hash) + " is not in the policy"});
  if (auto old = too_old(list, policy)) findings.push_back({Reason::kVersionTooOld, *std::move(old)});
  return findings;
}

Result<std::shared_ptr<JudgedManifest>> judge_manifest(ByteView content, const VerifierPolicy& policy) {
  auto judged = std::make_shared<JudgedManifest>();
  TRY_ASSIGN(judged->sha256, manifest_hash(content));
  judged->manifest = read_manifest(content);
  if (judged->manifest)
    judged->lists_accepted =
        std::all_of(judged->manifest->lists.begin(), judged->manifest->lists.end(),
                    [&](const ManifestList& list) { return judge_list(list, policy).empty(); });
  return judged;
}

}  // namespace diglim
