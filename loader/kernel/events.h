// SPDX-License-Identifier: Apache-2.0
// What the running programs tell: events, and how many of them were lost. For the keeper.
#pragma once

#include <functional>

#include "bpf/abi.h"
#include "lib/base/file.h"

namespace diglim {

class Events {
 public:
  // Finds the maps by name. REQUIRES: the loader's rights, or guards that are not attached yet. Nothing is
  // read before read(), so what nobody read so far comes first, as far as the ring buffer held it.
  static Result<Events> open();

  // Calls `handle` for each event, and `drained` when there is none left for the moment, and again after as
  // many milliseconds as it says. Returns only on an error.
  Result<void> read(const std::function<void(const diglim_event&)>& handle,
                    const std::function<int()>& drained);

  // Events that found the ring buffer full, so far.
  uint64_t dropped() const;

  // What became of the events, for `status`. Failure costs only figures.
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
