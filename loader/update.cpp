// SPDX-License-Identifier: Apache-2.0
#include "loader/update.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#include "loader/hand_over.h"
#include "loader/kernel/claim.h"
#include "loader/kernel/maps.h"
#include "loader/measure.h"

namespace diglim {
namespace {

constexpr char kLockFile[] = "/run/diglim/loader.lock";
constexpr int kLockTries = 300;
constexpr useconds_t kLockPause_us = 100'000;

// The manifests of one update, written, and which of them are still to be measured.
struct Measurement {
  UpdatePlan plan;
  FileId before;  // where they were written
  FileId after;
};

// The generation remembers the last one. Empty where nothing is measured.
Result<Measurement> write_manifests(Generation& next, const Denials& before, ByteView grants_before,
                                    const ManifestMonitor* monitor) {
  Measurement measurement;
  if (next.manifest_number() == 0) return measurement;
  // The loader that published last may have been killed before the end of it. If the file is gone, a verifier
  // sees that; it is no reason to refuse an update.
  (void)measure_manifest(next.manifest_number(), FileId());
  UpdatePlan& plan = measurement.plan;
  if (monitor != nullptr && monitor->seconds > 0) {
    TRY_ASSIGN(plan, plan_monitor(next.manifest_number(), next.manifest_hash(), *monitor));
  } else {
    TRY_ASSIGN(const Denials denials, Denials::from_blob(next.denials()));
    TRY_ASSIGN(auto granted, manifest_grants(next.grants(), grants_before));
    TRY_ASSIGN(plan, plan_update(next.manifest_number(), next.manifest_hash(), manifest_lists(next.removed()),
                                 manifest_lists(next.added()), manifest_deny_lists(denials, before),
                                 std::move(granted)));
  }
  if (plan.before_publishing) {
    TRY_ASSIGN(measurement.before, write_manifest_file(*plan.before_publishing));
  }
  if (plan.after_publishing) {
    TRY_ASSIGN(measurement.after, write_manifest_file(*plan.after_publishing));
  }
  next.set_manifest(plan.last_number, plan.last_hash);
  return measurement;
}

}  // namespace

// So that honest loaders that run at once wait for each other. Root can hold, remove or evade it, which
// delays loaders or has them refused (kernel/claim.h).
Result<Fd> take_lock() {
  (void)mkdir("/run", 0755);      // absent in a bare initramfs
  (void)mkdir(kRunFolder, 0755);  // exists already, or the open says what is wrong
  TRY_ASSIGN(Fd lock, open_file(kLockFile, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  for (int i = 0; i < kLockTries; ++i) {
    if (flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
    if (errno != EWOULDBLOCK && errno != EINTR) return from_errno(std::string("lock ") + kLockFile, errno);
    (void)usleep(kLockPause_us);
  }
  return Error{
      ErrorCode::kIo, EBUSY,
      "another process has held " + std::string(kLockFile) + " for 30 seconds; see which: fuser -v on it"};
}

Result<Published> update_generation(
    const std::function<Result<bool>(Generation& generation, TrustStore& trust)>& change,
    const ManifestMonitor* monitor) {
  TRY_ASSIGN(const Fd generations, find_map(kGenerationsMap));
  TRY_ASSIGN(const Fd keys, find_map(kKeysMap));
  TRY_ASSIGN(const Bytes blob, read_keys_map(keys));
  TRY_ASSIGN(TrustStore trust, TrustStore::from_blob(blob));
  TRY_ASSIGN(const Fd lock, take_lock());
  TRY_ASSIGN(auto current, read_generation(generations));
  if (!current) return not_found(std::string(kNotActive));
  const uint64_t before = current->number();
  TRY_ASSIGN(const Denials denials, Denials::from_blob(current->denials()));
  for (const SignedDenyList& list : denials.lists()) TRY(trust.deny(list));
  const Bytes granted = to_bytes(current->grants());
  TRY_ASSIGN(const bool changed, change(*current, trust));
  if (changed) {
    NewMap map(kGenerationMap, true);
    TRY(current->seal(static_cast<uint64_t>(time(nullptr)),
                      [&](size_t elements) { return map.allocate(elements); }));
    TRY_ASSIGN(const Claim claim, Claim::take(current->number()));
    TRY_ASSIGN(const uint64_t now, read_generation_number(generations));
    if (now != before) {
      return Error{ErrorCode::kIo, EAGAIN, "another loader published meanwhile; try again"};
    }
    TRY_ASSIGN(const Measurement measured, write_manifests(*current, denials, granted, monitor));
    const UpdatePlan& plan = measured.plan;
    if (plan.before_publishing) TRY(measure_manifest(plan.before_publishing->number, measured.before));
    TRY(publish_generation(generations, map, current->last_removal()));
    if (plan.after_publishing) TRY(measure_manifest(plan.after_publishing->number, measured.after));
  }
  return Published{changed, current->number(), current->distinct_digests(), current->lists().size()};
}

}  // namespace diglim
