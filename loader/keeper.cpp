// SPDX-License-Identifier: Apache-2.0
#include "loader/keeper.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <string>
#include <utility>

#include "lib/events/event_id.h"
#include "lib/events/event_line.h"
#include "loader/daemon.h"
#include "loader/kernel/lease.h"
#include "loader/log.h"
#include "loader/log_limit.h"
#include "loader/outlet.h"
#include "loader/process.h"
#include "loader/verbs.h"

namespace diglim {
namespace {

constexpr char kName[] = "@diglim-keeper";

// What became of the events, with one line more when some got none.
class EventLog {
 public:
  EventLog(Events& events, const Lease& lease, std::string boot)
      : events_(events), lease_(lease), counters_(events.load()), boot_(std::move(boot)) {}

  void handle(const diglim_event& event) {
    renew();
    if (event.reason != 0) log(event);  // what was allowed is not for the kernel log
    outlet_.give(event, counters_);
  }

  // When to be called again, in ms.
  int drained() {
    const int again = outlet_.flush(counters_) ? kAgain_ms : kRenew_ms;
    events_.store(counters_);
    renew();
    return std::min(again, tell());
  }

  void count_restart() {
    ++counters_.restarts;
    counters_.unsent += counters_.kept;  // it kept them for the reader, and took them along
  }

 private:
  static constexpr int kRenew_ms = static_cast<int>(DIGLIM_LEASE_NS / 3 / 1'000'000);
  static constexpr int kAgain_ms = 50;

  void log(const diglim_event& event) {
    // Attempts on DIGLIM itself must not drown in what anybody can cause.
    LogLimit& limit = event.kind == DIGLIM_KIND_GUARD ? guard_limit_ : limit_;
    if (!limit.allow(now_ms())) {
      ++counters_.not_logged;
      return;
    }
    const uint64_t without = event.dropped + counters_.not_logged + counters_.not_written;
    const uint64_t lost = without > said_lost_ ? without - said_lost_ : 0;
    counters_.write_error =
        log_line(event.enforced != 0 ? LOG_ERR : LOG_WARNING, event_line(event, boot_, lost));
    if (counters_.write_error == 0) said_lost_ = std::max(said_lost_, without);
    ++(counters_.write_error == 0 ? counters_.logged : counters_.not_written);
    if (hinted_ || event.reason != DIGLIM_REASON_UNKNOWN) return;
    hinted_ = true;
    log_line(LOG_NOTICE,
             "to allow a file: compact_gen -d DIR -i FILE -k KEY -c CERTIFICATE, then diglim-loader load; "
             "diglim-loader(8) explains these lines");
  }

  // Of denials without a line, at most once a second. When to be called again, in ms.
  int tell() {
    const uint64_t dropped = events_.dropped();
    if (dropped == told_dropped_ && counters_.not_logged == told_not_logged_ &&
        counters_.not_written == told_not_written_)
      return kRenew_ms;
    if (now_ms() - told_ms_ < 1000) return 1000;
    told_ms_ = now_ms();
    if (counters_.not_logged != told_not_logged_) {
      log_line(LOG_WARNING, std::to_string(counters_.not_logged - told_not_logged_) +
                                " denials not logged: too many at once");
    }
    if (counters_.not_written != told_not_written_ &&
        log_line(LOG_WARNING, std::to_string(counters_.not_written - told_not_written_) +
                                  " denials not logged: the kernel log did not take them") == 0) {
      told_not_written_ = counters_.not_written;
    }
    if (dropped != told_dropped_) {
      log_line(LOG_WARNING,
               std::to_string(dropped - told_dropped_) + " events were lost: the ring buffer was full");
    }
    told_not_logged_ = counters_.not_logged;
    told_dropped_ = dropped;
    return kRenew_ms;
  }

  static uint64_t now_ms() {
    timespec now = {};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);  // cannot fail with this clock
    return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1'000'000;
  }

  void renew() {
    const uint64_t now = now_ms();
    if (now - renewed_ms_ < kRenew_ms / 2) return;
    renewed_ms_ = now;
    const auto is_ours = lease_.claim();
    if (is_ours && *is_ours) return tell_monitor_end();
    events_.store(counters_);
    log_line(LOG_WARNING, "this keeper did not read for too long; another one has taken its place");
    _exit(0);
  }

  // Nobody has to live for it to end; this only says so. A keeper that is started later says it, too.
  void tell_monitor_end() {
    const auto now = lease_.ask();
    if (!now || now->monitor_until == told_monitor_until_ || now->boot_ns < now->monitor_until) return;
    told_monitor_until_ = now->monitor_until;
    if (now->monitor_until == 0) return;  // the loader ended it, and said so
    log_line(LOG_WARNING, "monitor mode is over, " +
                              std::to_string((now->boot_ns - now->monitor_until) / 1'000'000'000) +
                              " s ago: what is unknown is denied again");
  }

  Events& events_;
  const Lease& lease_;
  diglim_log_counters counters_;
  const std::string boot_;
  Outlet outlet_;
  LogLimit limit_;
  LogLimit guard_limit_;
  bool hinted_ = false;
  uint64_t renewed_ms_ = 0;
  uint64_t told_ms_ = 0;
  uint64_t told_dropped_ = 0;
  uint64_t told_monitor_until_ = 0;
  uint64_t told_not_logged_ = counters_.not_logged;
  uint64_t told_not_written_ = counters_.not_written;
  uint64_t said_lost_ =  // in lines of events
      events_.dropped() + counters_.not_logged + counters_.not_written;
};

[[noreturn]] void keep(Events& events, EventLog& log) {
  Outlet::enter();
  const auto result =
      events.read([&](const diglim_event& event) { log.handle(event); }, [&] { return log.drained(); });
  log_line(LOG_ERR, "the keeper can no longer read events: " + result.error().message);
  _exit(1);
}

// Out of the caller's service or session, which may be stopped, and of its limits.
void leave_caller() {
  if (const auto procs = open_file("/sys/fs/cgroup/cgroup.procs", O_WRONLY))
    (void)!write(procs->get(), "0", 1);
  constexpr rlimit kFiles = {64, 64};
  constexpr rlimit kForEver = {RLIM_INFINITY, RLIM_INFINITY};
  (void)setrlimit(RLIMIT_NOFILE, &kFiles);
  (void)setrlimit(RLIMIT_CPU, &kForEver);
}

// Where init's /run is. By its process, not through a /proc that may be anything. REQUIRES: this process is
// in the first pid namespace, as a keeper is.
Result<void> enter_init() {
  const Fd init(static_cast<int>(syscall(SYS_pidfd_open, 1, 0)));
  if (!init) return from_errno("find init", errno);
  if (setns(init.get(), CLONE_NEWNS) != 0) return from_errno("enter the mounts of init", errno);
  return {};
}

// Becomes the keeper once the last one's lease has run out; false when that one renews it.
Result<bool> wait_for_lease(const Lease& lease) {
  TRY_ASSIGN(Lease::Holder last, lease.ask());
  for (;;) {
    TRY_ASSIGN(const bool is_ours, lease.claim());
    if (is_ours) return true;
    (void)usleep(200'000);
    TRY_ASSIGN(const Lease::Holder now, lease.ask());
    if (now.age_ns < last.age_ns) return false;
    last = now;
  }
}

Result<void> keep_again() {
  TRY_ASSIGN(Events events, Events::open());
  TRY_ASSIGN(const Lease lease, Lease::open());
  TRY_ASSIGN(const KernelState state, read_state());
  // From here on nothing is opened any more: a breakpoint in the loader's file, also one that was there for a
  // moment only, takes the right to do so from each process that runs it.
  TRY_ASSIGN(const bool is_ours, wait_for_lease(lease));
  if (!is_ours) return {};
  // Or whoever starts a loader in a chroot would have the keeper serve the /run/diglim there.
  if (const auto entered = enter_init(); !entered)
    log_line(LOG_WARNING, "the keeper stays where it was started: " + entered.error().message);
  EventLog log(events, lease, boot_prefix(state.boot_id));
  log.count_restart();
  log_line(LOG_WARNING, "the keeper was gone; started again; what was denied meanwhile follows");
  keep(events, log);
}

bool is_keeper_here(pid_t pid) {
  const auto name = read_stream("/proc/" + std::to_string(pid) + "/comm", 64);
  return name && as_text(*name) == std::string(kName) + "\n";
}

}  // namespace

Result<void> start_keeper(const Programs& programs, Events& events) {
  int ready[2];
  if (pipe2(ready, O_CLOEXEC) != 0) return from_errno("pipe", errno);
  const Fd from(ready[0]);
  Fd to(ready[1]);
  const pid_t pid = fork();
  if (pid < 0) return from_errno("fork the keeper", errno);
  if (pid == 0) {
    become_daemon(kName);
    const Lease lease(Fd(dup(programs.keep_fd())));
    if (const auto claimed = lease.claim(); !claimed || !*claimed) _exit(1);
    (void)!write(to.get(), "", 1);
    to = Fd();
    EventLog log(events, lease, read_boot());  // nobody could mount another one over it yet
    keep(events, log);
  }
  to = Fd();
  // Until it is protected nobody else may run.
  char byte = 0;
  if (read(from.get(), &byte, 1) != 1) return unsupported("the keeper does not start");
  return {};
}

void ensure_keeper() {
  const auto lease = Lease::open();
  if (!lease) return;
  // In a pid namespace it cannot be seen; then the new one finds out that it is not needed.
  if (const auto last = lease->ask(); !last || (!last->has_run_out() && is_keeper_here(last->pid))) return;
  const pid_t pid = fork();
  if (pid != 0) return;
  // By exec, so that the new process has the loader's rights, and its guards, from its first instruction on.
  (void)execl("/proc/self/exe", kName, "keep", nullptr);
  _exit(1);
}

int run_keep(int, char**) {
  become_daemon(kName);
  leave_caller();
  const auto result = keep_again();
  if (!result) log_line(LOG_ERR, "the keeper is gone and cannot be started: " + result.error().message);
  return result ? kExitOk : kExitEnvironment;
}

std::optional<pid_t> find_keeper() {
  return find_process(kName, "Uid:\t0\t0\t0\t0");
}

std::string not_logged_text(const Lease::Holder& keeper, const KernelState& state) {
  const diglim_log_counters& log = state.log;
  const std::string count =
      std::to_string(waiting(state) + log.not_written) + " denials are not logged: the keeper ";
  if (keeper.has_run_out()) {
    return count + (is_keeper_here(keeper.pid) ? "does not read (it is frozen, or gets no time)" : "is gone");
  }
  if (log.write_error != 0)
    return count + "cannot write to the kernel log (" + strerror(log.write_error) + ")";
  return "";
}

}  // namespace diglim
