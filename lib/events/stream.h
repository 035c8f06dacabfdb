// SPDX-License-Identifier: Apache-2.0
// What the keeper tells the one process that reads events in user space (diglim-events). The reader listens
// on a socket of type SOCK_SEQPACKET in /run/diglim, where only root can; the keeper connects, sends one
// record an event, and reads nothing. It never waits: what the reader does not take is kept for a while, then
// counted.
//
// Both are of one version or do not understand each other: event.version says which.
#pragma once

#include "bpf/abi.h"

namespace diglim {

constexpr char kEventSocket[] = "events";  // in kRunFolder

struct EventRecord {
  diglim_event event;
  diglim_log_counters log;  // before this event; log.sent numbers the records of this boot from 0
};

}  // namespace diglim
