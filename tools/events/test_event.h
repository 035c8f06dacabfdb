// SPDX-License-Identifier: Apache-2.0
// For tests: a denial of a script with an awkward name, in a service.
#pragma once

#include <cstring>
#include <string>

#include "tools/events/event.h"

namespace diglim::events {

inline EventRecord test_record() {
  using namespace std::string_literals;
  EventRecord record = {};
  diglim_event& event = record.event;
  event.version = DIGLIM_ABI_VERSION;
  event.kind = DIGLIM_KIND_EXEC;
  event.reason = DIGLIM_REASON_UNKNOWN;
  event.enforced = 1;
  event.number = 57;
  event.time = 5'000'000'000;
  event.pid = 12;
  event.inner_pid = 3;
  event.pid_namespace = 4026532000;
  event.uid = 1000;
  event.auid = 1000;
  event.session = DIGLIM_NOBODY;
  event.inode = 7;
  event.device = 8 << 20 | 1;
  const std::string text = "a \"\n\x1b[2J\xff\0tmp\0x.service\0system.slice\0bash\0bin\0"s;
  event.path_bytes = 14;
  event.cgroup_bytes = 23;
  event.exe_bytes = 9;
  std::memcpy(event.text, text.data(), text.size());
  std::strcpy(event.command, "bash");
  std::strcpy(event.parent_command, "sshd");
  std::strcpy(event.file_system, "ext4");
  return record;
}

inline Event test_event(uint64_t lost = 0) {
  EventRecord record = test_record();
  record.log.unsent = lost;
  return describe(record, "3f2a91bc-0000-4000-8000-000000000000", {10'000'000'000, 6'000'000'000});
}

}  // namespace diglim::events
