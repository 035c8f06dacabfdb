// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/allow/wait.h"

#include <poll.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace diglim::allow {
namespace {

// Seconds of 0 disarm it.
Result<void> arm(const Fd& timer, int flags, uint64_t seconds) {
  itimerspec when = {};
  when.it_value.tv_sec = static_cast<time_t>(seconds);
  if (timerfd_settime(timer.get(), flags, &when, nullptr) != 0) return from_errno("set a timer", errno);
  return {};
}

}  // namespace

Deadline first_of(const std::vector<End>& ends, const Clock& clock) {
  Deadline first;
  const auto take = [](uint64_t& earliest, uint64_t one) {
    if (earliest == 0 || one < earliest) earliest = one;
  };
  for (const End& end : ends) {
    take(first.until, end.until);
    if (!end.boot_id.empty() && end.boot_id == clock.boot_id)
      take(first.since_boot, std::max<uint64_t>(end.since_boot, 1));
  }
  return first;
}

Result<Waiter> Waiter::make() {
  Fd real(timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK));
  Fd boot(timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!real || !boot) return from_errno("make a timer", errno);
  sigset_t ending;
  sigset_t waiting;
  sigemptyset(&ending);
  for (const int signal : {SIGTERM, SIGINT}) sigaddset(&ending, signal);
  if (sigprocmask(SIG_BLOCK, &ending, &waiting) != 0) return from_errno("block signals", errno);
  for (const int signal : {SIGTERM, SIGINT}) sigdelset(&waiting, signal);
  return Waiter(std::move(real), std::move(boot), waiting);
}

Result<void> Waiter::wait(const std::vector<End>& ends) const {
  const Deadline first = first_of(ends, read_clock());
  TRY(arm(real_, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, first.until));
  TRY(arm(boot_, TFD_TIMER_ABSTIME, first.since_boot));
  std::array<pollfd, 2> timers = {{{real_.get(), POLLIN, 0}, {boot_.get(), POLLIN, 0}}};
  if (ppoll(timers.data(), timers.size(), nullptr, &waiting_) < 0 && errno != EINTR)
    return from_errno("wait for a timer", errno);
  return {};  // to set a timer anew takes back that it was over
}

}  // namespace diglim::allow
