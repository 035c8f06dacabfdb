// SPDX-License-Identifier: Apache-2.0
#include "lib/manifest/update.h"

#include <set>

namespace diglim {
namespace {

using Identity = std::pair<std::string_view, ByteView>;
struct Less {
  bool operator()(const Identity& a, const Identity& b) const {
    if (a.first != b.first) return a.first < b.first;
    return as_text(a.second) < as_text(b.second);
  }
};

// Those of `of` that `in` has not, by name and hash: another text about the signer is no change.
std::vector<ManifestList> without(std::span<const ManifestList> of, std::span<const ManifestList> in) {
  std::set<Identity, Less> known;
  for (const ManifestList& list : in) known.emplace(list.name, list.hash);
  std::vector<ManifestList> left;
  for (const ManifestList& list : of) {
    if (!known.contains({list.name, list.hash})) left.push_back(list);
  }
  return left;
}

Result<std::optional<WrittenManifest>> write_next(Manifest manifest, UpdatePlan& plan) {
  manifest.number = plan.last_number + 1;
  manifest.previous = plan.last_hash;
  WrittenManifest written;
  written.number = manifest.number;
  TRY_ASSIGN(written.content, write_manifest(std::move(manifest)));
  TRY_ASSIGN(written.hash, manifest_hash(written.content));
  plan.last_number = written.number;
  plan.last_hash = written.hash;
  return std::optional<WrittenManifest>(std::move(written));
}

Result<std::optional<WrittenManifest>> write_lists(ManifestKind kind, std::vector<ManifestList> lists,
                                                   std::vector<ManifestDenyList> deny_lists,
                                                   std::vector<ManifestKey> keys, UpdatePlan& plan) {
  if (lists.empty() && deny_lists.empty() && keys.empty()) return std::optional<WrittenManifest>();
  Manifest manifest;
  manifest.kind = kind;
  manifest.lists = std::move(lists);
  manifest.deny_lists = std::move(deny_lists);
  manifest.keys = std::move(keys);
  return write_next(std::move(manifest), plan);
}

}  // namespace

Result<UpdatePlan> plan_update(uint64_t last_number, ByteView last_hash, std::span<const ManifestList> before,
                               std::span<const ManifestList> after, std::vector<ManifestDenyList> deny_lists,
                               std::vector<ManifestKey> keys) {
  UpdatePlan plan;
  plan.last_number = last_number;
  plan.last_hash = to_bytes(last_hash);
  TRY_ASSIGN(plan.before_publishing,
             write_lists(ManifestKind::kAdd, without(after, before), {}, std::move(keys), plan));
  TRY_ASSIGN(plan.after_publishing,
             write_lists(ManifestKind::kRemove, without(before, after), std::move(deny_lists), {}, plan));
  return plan;
}

Result<UpdatePlan> plan_monitor(uint64_t last_number, ByteView last_hash, const ManifestMonitor& monitor) {
  UpdatePlan plan;
  plan.last_number = last_number;
  plan.last_hash = to_bytes(last_hash);
  Manifest manifest;
  manifest.kind = ManifestKind::kMonitor;
  manifest.monitor = monitor;
  TRY_ASSIGN(plan.before_publishing, write_next(std::move(manifest), plan));
  return plan;
}

}  // namespace diglim
