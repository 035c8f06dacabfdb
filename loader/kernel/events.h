// SPDX-License-Identifier: Apache-2.0
// The events of the running BPF programs, and how many of them were lost. For the keeper.
#pragma once

#include <functional>

#include "bpf/abi.h"
#include "lib/base/file.h"

namespace diglim {

class Events {
 public:
  // Finds the maps by name, and reads no event yet: read() begins with the oldest event that the ring buffer
  // still holds. REQUIRES: the loader's rights, or guards that are not attached yet.
  static Result<Events> open();

  // Calls `handle` for each event. When no event is left, calls `drained`, which says after how many
  // milliseconds it wants to be called again. Returns only on an error.
  Result<void> read(const std::function<void(const diglim_event&)>& handle,
                    const std::function<int()>& drained);

  // How many events found the ring buffer full, so far.
  uint64_t dropped() const;

  // What became of the events, for `status`. If this fails, only figures are lost.
  void store(const diglim_log_counters& counters);
  diglim_log_counters load() const;

 private:
  Events(Fd ring, Fd globals, Fd log)
      : ring_(std::move(ring)), globals_(std::move(globals)), log_(std::move(log)) {}
  Fd ring_;
  Fd globals_;
  Fd log_;
};

}  // namespace diglim
