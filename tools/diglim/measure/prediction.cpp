// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/measure/prediction.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "lib/manifest/update.h"
#include "lib/tcg/ima_event.h"
#include "lib/tcg/ima_log.h"

namespace diglim {
namespace {

constexpr char kManifestTemplate[] = "ima-ng";

// The kernel hashes the registers of the bank whose hash is ima_hash, else SHA-256's, else SHA-1's.
Result<HashAlgo> algo_of_size(size_t size) {
  for (HashAlgo algo : {HashAlgo::kSha256, HashAlgo::kSha1, HashAlgo::kSha384, HashAlgo::kSha512}) {
    if (hash_size(algo) == size) return algo;
  }
  return invalid("boot_aggregate must have 20, 32, 48 or 64 bytes");
}

}  // namespace

Result<void> Prediction::measure(PredictedEvent event, HashAlgo algo) {
  NewImaEvent made;
  made.pcr = pcr_;
  made.template_name = event.template_name;
  made.algo = algo;
  made.digest = event.file_digest;
  made.path = event.path;
  TRY_ASSIGN(event.entry, write_ima_event(made));
  ImaLogReader reader(event.entry);
  TRY_ASSIGN(const auto parsed, reader.next());
  TRY(replay_ima_event(*parsed, bank_));
  events_.push_back(std::move(event));
  return {};
}

Result<void> Prediction::boot_aggregate(ByteView value, const std::string& template_name) {
  TRY_ASSIGN(const HashAlgo algo, algo_of_size(value.size()));
  return measure({"boot_aggregate: the kernel's hash over PCRs 0 to 9",
                  template_name,
                  "boot_aggregate",
                  to_bytes(value),
                  {},
                  {}},
                 algo);
}

Result<void> Prediction::measure_manifest(uint64_t number, Bytes content, std::string what) {
  TRY_ASSIGN(Bytes digest, hash(algo_, {content}));
  return measure(
      {std::move(what), kManifestTemplate, manifest_path(number), std::move(digest), {}, std::move(content)},
      algo_);
}

Result<void> Prediction::boot(const Manifest& manifest) {
  in_force_ = {manifest.lists, manifest.deny_lists};
  TRY_ASSIGN(Bytes content, write_manifest(manifest));
  TRY_ASSIGN(last_hash_, manifest_hash(content));
  last_number_ = 1;
  return measure_manifest(
      1, std::move(content),
      fmt::format("boot manifest: mode {}, {} keys, {} lists", mode_name(manifest.boot.mode),
                  manifest.boot.keys.size(), manifest.lists.size()));
}

Result<void> Prediction::update(Publication next) {
  std::vector<ManifestDenyList> fresh;
  std::ranges::copy_if(next.deny_lists, std::back_inserter(fresh), [&](const ManifestDenyList& list) {
    return std::ranges::find(in_force_.deny_lists, list) == in_force_.deny_lists.end();
  });
  std::vector<ManifestKey> granted;
  std::ranges::copy_if(next.keys, std::back_inserter(granted), [&](const ManifestKey& key) {
    return std::ranges::find(in_force_.keys, key) == in_force_.keys.end();
  });
  TRY_ASSIGN(UpdatePlan plan, plan_update(last_number_, last_hash_, in_force_.lists, next.lists,
                                          std::move(fresh), std::move(granted)));
  for (auto* manifest : {&plan.before_publishing, &plan.after_publishing}) {
    if (!*manifest) continue;
    const bool adds = manifest == &plan.before_publishing;
    TRY(measure_manifest(
        (*manifest)->number, std::move((*manifest)->content),
        adds ? "lists that are added, or granted keys" : "lists that are removed, or revoke"));
  }
  last_number_ = plan.last_number;
  last_hash_ = plan.last_hash;
  in_force_ = std::move(next);
  return {};
}

Bytes Prediction::log() const {
  Bytes log;
  for (const PredictedEvent& event : events_) append(log, event.entry);
  return log;
}

}  // namespace diglim
