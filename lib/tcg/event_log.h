// SPDX-License-Identifier: Apache-2.0
// The firmware's event log, /sys/kernel/security/tpm0/binary_bios_measurements, in the crypto-agile format
// (TCG PC Client Platform Firmware Profile 1.05, section 10). FORMAT.md has the layout.
#pragma once

#include "lib/tcg/pcr.h"

namespace diglim {

constexpr size_t kMaxEventLogBytes = 16u << 20;

// An event that extended a register. The views are into the log.
struct FirmwareEvent {
  uint32_t pcr = 0;
  uint32_t type = 0;  // EV_..., Firmware Profile 10.4.1
  ByteView digest;    // of the bank
  ByteView data;      // what it means only its type says; nothing vouches for it
};

// In order. Errors as replay_event_log().
Result<std::vector<FirmwareEvent>> read_event_log(ByteView log, HashAlgo bank);

// The registers of one bank after the events. Only digests count; event data is passed over, but for the
// locality in which the firmware started, which gives PCR 0 its first value. kCorrupt with the offset;
// kUnsupported: a log of TPM 1.2, a log without digests of this bank.
Result<PcrBank> replay_event_log(ByteView log, HashAlgo bank);

}  // namespace diglim
