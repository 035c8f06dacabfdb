// SPDX-License-Identifier: Apache-2.0
// The statement by which the holder of a trusted key lets one machine run what is unknown, for a time. It
// names one boot and its number there, so it begins monitor mode once. FORMAT.md is the contract.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/bytes.h"
#include "lib/trust/trust_store.h"

namespace diglim {

struct MonitorStatement {
  std::string boot;      // /proc/sys/kernel/random/boot_id
  uint32_t number = 1;   // counts the times in this boot: Generation::Monitor::count + 1
  uint32_t seconds = 0;  // how long, from when it begins
  uint64_t before = 0;   // seconds since the boot (CLOCK_BOOTTIME) by which it has to begin
  std::string reason;
  bool operator==(const MonitorStatement&) const = default;
};

// Can it stand in a statement, a manifest and a line of the log? kInvalid: empty, longer than
// DIGLIM_MONITOR_REASON, a byte outside 0x20-0x7e, a backslash, a space at an end.
Result<void> check_monitor_reason(std::string_view reason);
// Is it one that the kernel's programs take notice of? kInvalid: 0, or more than DIGLIM_MONITOR_SECONDS.
Result<void> check_monitor_seconds(uint64_t seconds);

// What is to be signed. kInvalid for what the format cannot say.
Result<Bytes> write_monitor_statement(const MonitorStatement& statement);
// Strict: exactly what write_monitor_statement() makes. kCorrupt with the offset.
Result<MonitorStatement> read_monitor_statement(ByteView content);

struct SignedMonitorStatement {
  MonitorStatement statement;
  std::string signer;  // for people, as DigestList::signer
};
// First the signature (CMS, appended as to a compact list), by one of the X.509 keys of `trust`, then the
// content. Errors: kUntrusted, kCorrupt, kUnsupported (another kind of signature).
Result<SignedMonitorStatement> verify_monitor_statement(ByteView file, const TrustStore& trust);

}  // namespace diglim
