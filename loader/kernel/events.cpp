// SPDX-License-Identifier: Apache-2.0
#include "loader/kernel/events.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <memory>

#include "loader/kernel/maps.h"

namespace diglim {

Result<Events> Events::open() {
  TRY_ASSIGN(Fd ring, find_map(kEventsMap));
  TRY_ASSIGN(Fd globals, find_map(kGlobalsMap));
  TRY_ASSIGN(Fd log, find_map(kLogMap));
  return Events(std::move(ring), std::move(globals), std::move(log));
}

Result<void> Events::read(const std::function<void(const diglim_event&)>& handle,
                          const std::function<int()>& drained) {
  const auto deliver = [](void* context, void* data, size_t size) {
    if (size >= sizeof(diglim_event)) {
      (*static_cast<const std::function<void(const diglim_event&)>*>(context))(
          *static_cast<const diglim_event*>(data));
    }
    return 0;
  };
  const std::unique_ptr<ring_buffer, decltype(&ring_buffer__free)> events(
      ring_buffer__new(ring_.get(), deliver, const_cast<void*>(static_cast<const void*>(&handle)), nullptr),
      ring_buffer__free);
  if (!events) return from_errno("open the ring buffer", errno);
  // Not poll: what lies there already rings no bell.
  int result = ring_buffer__consume(events.get());
  for (;;) {
    if (result < 0 && result != -EINTR) return from_errno("read the ring buffer", -result);
    result = ring_buffer__poll(events.get(), drained());
  }
}

uint64_t Events::dropped() const {
  const auto counters = read_counters(globals_);
  return counters ? counters->dropped_events : 0;
}

void Events::store(const diglim_log_counters& counters) {
  const uint32_t zero = 0;
  (void)bpf_map_update_elem(log_.get(), &zero, &counters, BPF_ANY);  // see the header
}

diglim_log_counters Events::load() const {
  const auto counters = read_log_counters(log_);
  return counters ? *counters : diglim_log_counters{};
}

}  // namespace diglim
