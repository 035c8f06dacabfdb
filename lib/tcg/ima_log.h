// SPDX-License-Identifier: Apache-2.0
// The kernel's list of measurements, /sys/kernel/security/ima/binary_runtime_measurements, and its replay.
// FORMAT.md has the layout (ima_measurements_show() in security/integrity/ima/ima_fs.c).
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "lib/tcg/pcr.h"

namespace diglim {

constexpr size_t kMaxImaLogBytes = 256u << 20;
constexpr unsigned kImaPcr = 10;  // CONFIG_IMA_MEASURE_PCR_IDX: the kernel's, whatever rules say
constexpr std::string_view kBootAggregate = "boot_aggregate";  // always the first record of that PCR

// One entry. The views are into the log.
struct ImaEvent {
  uint64_t offset = 0;  // of the entry in the log
  uint32_t pcr = 0;
  ByteView sha1;                   // template digest as the log says it; not what other banks hold
  std::string_view template_name;  // "ima-ng"
  ByteView data;                   // template data
  // A file that changed or could change while it was measured: the log has zeros, the PCR got ones.
  bool violation = false;
  // Decoded from the data:
  std::string_view algo;  // of the file digest: "sha256"
  bool verity = false;    // digest is fs-verity's (templates ima-ngv2, ima-sigv2)
  ByteView digest;
  std::string_view path;  // without the NUL; or another name, such as "boot_aggregate"
};

class ImaLogReader {
 public:
  explicit ImaLogReader(ByteView log) : reader_(log) {}
  // None at the end. kCorrupt with the offset; kUnsupported for a template that is not one of ima, ima-ng,
  // ima-sig, ima-ngv2, ima-sigv2, ima-buf, ima-modsig, evm-sig.
  Result<std::optional<ImaEvent>> next();

 private:
  ByteReader reader_;
};

// The whole log. kUnsupported for more than kMaxImaLogBytes.
Result<std::vector<ImaEvent>> read_ima_log(ByteView log);

// What the kernel extended the bank with: the hash of the template data, or ones for a violation.
Result<Bytes> template_digest(const ImaEvent& event, HashAlgo bank);

// Extends `bank` with every event. kCorrupt with the offset of an event whose SHA-1 template digest does not
// fit its data (the kernel writes no such log) or whose PCR does not exist.
Result<void> replay_ima_log(const std::vector<ImaEvent>& events, PcrBank& bank);
Result<void> replay_ima_event(const ImaEvent& event, PcrBank& bank);  // without looking at its SHA-1
Result<void> check_and_replay_ima_event(const ImaEvent& event, PcrBank& bank);

}  // namespace diglim
