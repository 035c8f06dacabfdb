// SPDX-License-Identifier: Apache-2.0
// An outlet with a thread of its own: whatever it waits for, nobody else does. What it cannot take is
// counted, and said with the next event that it takes.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "lib/base/result.h"
#include "tools/events/event.h"

namespace diglim::events {

// What became of the events.
struct OutletState {
  uint64_t written = 0;
  uint64_t lost = 0;     // its own: it failed, its queue was full, or the reader was gone
  uint64_t said = 0;     // of all that were lost, told in events that it took
  uint64_t next = 0;     // number of the first record that it has not dealt with (EventRecord::log.sent)
  bool is_fresh = true;  // no record came yet
  std::string error;     // of the last event; empty: it was taken
};

class Outlet {
 public:
  using State = OutletState;
  static constexpr size_t kMostQueued = 4096;

  // Writes one event; `lost`: events that this outlet never got since the last one that it took.
  using Write = std::function<Result<void>(const Event& event, uint64_t lost)>;

  // `state`: as an earlier process of this boot left it.
  Outlet(std::string name, Write write, State state = {});
  ~Outlet();
  Outlet(const Outlet&) = delete;
  Outlet& operator=(const Outlet&) = delete;

  // `number`: of the record.
  void give(std::shared_ptr<const Event> event, uint64_t number);

  // Waits for what is queued, two seconds at most; the rest is left to the next process's count.
  void stop();

  const std::string& name() const { return name_; }
  State state() const;
  size_t queued() const;

 private:
  struct Shared;
  static void work(const std::shared_ptr<Shared>& shared);
  std::string name_;
  std::shared_ptr<Shared> shared_;  // the thread outlives the object if its outlet never returns
  std::thread thread_;
};

}  // namespace diglim::events
