// SPDX-License-Identifier: Apache-2.0
// One event with all that is known of it, in the form in which every outlet takes it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/events/stream.h"

namespace diglim::events {

struct Field {
  const char* name;  // lower case; diglim-events(8) lists all
  std::string text;  // escaped, as by escape()
  bool is_number = false;
};

struct Event {
  std::string id;    // "3f2a91bc-57"
  std::string line;  // as in the kernel log
  int priority = 0;  // of syslog
  const char* message_id = nullptr;
  std::vector<Field> fields;
  uint64_t lost = 0;  // events of this boot that nobody can have, up to this one
};

struct Clocks {
  int64_t real_ns = 0;  // now
  int64_t boot_ns = 0;  // the same instant, CLOCK_BOOTTIME
};
Clocks read_clocks();

// `boot`: the boot's id as the kernel has it. An event's time is that of the boot clock, told in what the
// real clock says now: a clock that is set changes what is told, never the order (field "boottime_ns").
Event describe(const EventRecord& record, std::string_view boot, const Clocks& clocks);

// One line of JSON with all fields; with "lost" if it is above 0: events before this one that this outlet
// never got.
std::string json_line(const Event& event, uint64_t lost);

// The systemd unit that a control group belongs to ("sshd.service", "session-3.scope"); empty: none.
std::string unit_of(std::string_view cgroup);
// The container, by the names that podman, docker, CRI-O, containerd, kubelet, LXC and systemd-nspawn give;
// empty: none. Others can give such names, too. Escaped as `cgroup` is.
std::string container_of(std::string_view cgroup);

}  // namespace diglim::events
