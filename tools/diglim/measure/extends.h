// SPDX-License-Identifier: Apache-2.0
// Who else extended the registers: firmware, boot loaders and systemd, each by the log that it keeps.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/tcg/pcr.h"

namespace diglim {

constexpr char kFirmwareLog[] = "/sys/kernel/security/tpm0/binary_bios_measurements";
// In pieces of JSON, each behind an ASCII record separator; systemd-pcrextend(8).
constexpr char kSystemdLog[] = "/run/log/systemd/tpm2-measure.log";
constexpr size_t kMaxSystemdLogBytes = 16u << 20;
constexpr char kOwnContentType[] = "diglim";  // of the records that `diglim pcr pcrlock` appends to it

struct Extend {
  unsigned pcr = 0;
  Bytes digest;
  std::string who;   // "systemd-stub", "GRUB"; a guess by register and type, as the log does not say it
  std::string what;  // the type, and what of the data is text; printable
};

// Before the kernel, in order. Errors as read_event_log().
Result<std::vector<Extend>> firmware_extends(ByteView log, HashAlgo bank);
// By systemd since the kernel started, in order. kCorrupt: no such log. What has no digest of the bank is
// passed over, since it extended another; and what IMA measured (kOwnContentType).
Result<std::vector<Extend>> systemd_extends(std::string_view log, HashAlgo bank);

}  // namespace diglim
