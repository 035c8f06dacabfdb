// SPDX-License-Identifier: Apache-2.0
// Whole events for user space: the keeper's end of lib/events/stream.h.
#pragma once

#include <cstdint>
#include <deque>

#include "bpf/abi.h"
#include "lib/base/file.h"

namespace diglim {

class Outlet {
 public:
  static constexpr size_t kKept = 256;  // newest events that wait for a reader, as long as there is none

  // Looks for the reader's socket in /run/diglim as it is now, wherever that is moved to: the keeper stays in
  // the initramfs. The process's current directory is the only way to say so.
  static void enter();

  // Sends the event, or keeps it. Never waits. Counts in sent, unsent, kept, and says whether there is a
  // reader.
  void give(const diglim_event& event, diglim_log_counters& counters);
  // Tries again. Does something wait for a reader that is there?
  bool flush(diglim_log_counters& counters);

 private:
  bool connect();
  std::deque<diglim_event> kept_;
  Fd reader_;
  uint64_t next_try_s_ = 0;
};

}  // namespace diglim
