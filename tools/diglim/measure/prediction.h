// SPDX-License-Identifier: Apache-2.0
// From a system to the events that its kernel will measure, and to a register.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/manifest/manifest.h"
#include "lib/tcg/pcr.h"

namespace diglim {

struct PredictedEvent {
  std::string what;  // for people: "boot manifest: 129 lists, 2 keys"
  std::string template_name;
  std::string path;
  Bytes file_digest;
  Bytes entry;    // as it will stand in the binary log
  Bytes content;  // of a manifest
};

// What is in force after one publication.
struct Publication {
  std::vector<ManifestList> lists;
  std::vector<ManifestDenyList> deny_lists;
  std::vector<ManifestKey> keys = {};  // granted
};

// Events in order. Not thread-safe.
class Prediction {
 public:
  // `algo`: the kernel's ima_hash, with which it hashes the manifests.
  Prediction(unsigned pcr, HashAlgo bank, HashAlgo algo)
      : bank_(bank), pcr_(pcr), algo_(algo), start_(bank_.value(pcr)) {}

  // What the register holds before IMA begins; zero if nobody says so. REQUIRES: first. kInvalid: the size.
  Result<void> start(ByteView value) {
    start_ = to_bytes(value);
    return bank_.set(pcr_, value);
  }
  // REQUIRES: before the boot, and for PCR 10 only. `template_name` is the kernel's default (ima_template=).
  Result<void> boot_aggregate(ByteView value, const std::string& template_name);
  Result<void> boot(const Manifest& manifest);
  // The next one: from what is in force to this.
  Result<void> update(Publication next);

  const std::vector<PredictedEvent>& events() const { return events_; }
  const std::vector<ManifestList>& lists() const { return in_force_.lists; }
  const Bytes& start() const { return start_; }
  const Bytes& value() const { return bank_.value(pcr_); }
  Bytes log() const;  // as the kernel will show it

 private:
  Result<void> measure(PredictedEvent event, HashAlgo algo);
  Result<void> measure_manifest(uint64_t number, Bytes content, std::string what);

  PcrBank bank_;
  unsigned pcr_;
  HashAlgo algo_;
  Bytes start_;
  std::vector<PredictedEvent> events_;
  Publication in_force_;
  uint64_t last_number_ = 0;
  Bytes last_hash_;
};

}  // namespace diglim
