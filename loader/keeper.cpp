// SPDX-License-Identifier: Apache-2.0
#include "loader/keeper.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <syslog.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <vector>

#include "loader/event_line.h"
#include "loader/kernel/hold.h"
#include "loader/kernel/maps.h"
#include "loader/log_limit.h"
#include "loader/update.h"
#include "loader/verbs.h"

namespace diglim {
namespace {

constexpr char kName[] = "@diglim-keeper";

void ignore_all_signals() {
  for (int signal = 1; signal < NSIG; ++signal)
    (void)std::signal(signal, SIG_IGN);  // fails for KILL and STOP only
}

// What became of the events, with one line more when some got none.
class EventLog {
 public:
  explicit EventLog(Events& events) : events_(events), counters_(events.load()) {}

  void handle(const diglim_event& event) {
    // Attempts on DIGLIM itself must not drown in what anybody can cause.
    LogLimit& limit = event.kind == DIGLIM_KIND_GUARD ? guard_limit_ : limit_;
    if (!limit.allow(now_ms())) {
      ++counters_.not_logged;
      return;
    }
    ++counters_.logged;
    log_line(event.enforced != 0 ? LOG_ERR : LOG_WARNING, event_line(event));
    if (hinted_ || event.reason != DIGLIM_REASON_UNKNOWN) return;
    hinted_ = true;
    log_line(LOG_NOTICE,
             "to allow a file: compact_gen -d DIR -i FILE -k KEY -c CERTIFICATE, then diglim-loader load; "
             "diglim-loader(8) explains these lines");
  }

  // Is there something that it has to tell, but not yet?
  bool drained() {
    events_.store(counters_);
    const uint64_t dropped = events_.dropped();
    if (dropped == told_dropped_ && counters_.not_logged == told_not_logged_) return false;
    if (now_ms() - told_ms_ < 1000) return true;
    told_ms_ = now_ms();
    if (counters_.not_logged != told_not_logged_) {
      log_line(LOG_WARNING, std::to_string(counters_.not_logged - told_not_logged_) +
                                " denials not logged: too many at once");
    }
    if (dropped != told_dropped_) {
      log_line(LOG_WARNING,
               std::to_string(dropped - told_dropped_) + " events were lost: the ring buffer was full");
    }
    told_not_logged_ = counters_.not_logged;
    told_dropped_ = dropped;
    return false;
  }

  void count_restart() { ++counters_.restarts; }

 private:
  static uint64_t now_ms() {
    timespec now = {};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);  // cannot fail with this clock
    return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1'000'000;
  }

  Events& events_;
  diglim_log_counters counters_;
  LogLimit limit_;
  LogLimit guard_limit_;
  bool hinted_ = false;
  uint64_t told_ms_ = 0;
  uint64_t told_dropped_ = 0;
  uint64_t told_not_logged_ = counters_.not_logged;
};

[[noreturn]] void keep(Events& events, EventLog& log) {
  const auto result =
      events.read([&](const diglim_event& event) { log.handle(event); }, [&] { return log.drained(); });
  log_line(LOG_ERR, "the keeper can no longer read events: " + result.error().message);
  for (;;) pause();  // the links are what matters
}

// Out of the caller's service or session, which may be stopped.
void leave_cgroup() {
  if (const auto procs = open_file("/sys/fs/cgroup/cgroup.procs", O_WRONLY))
    (void)!write(procs->get(), "0", 1);
}

// Returns if there is a keeper already. All that needs the loader's rights comes before the change of role.
Result<void> keep_again() {
  TRY_ASSIGN(Events events, Events::open());
  TRY_ASSIGN(const Fd roles, open_roles());
  TRY_ASSIGN(const Fd taker, open_role_taker());
  TRY_ASSIGN(const std::vector<Fd> links, open_links());
  TRY_ASSIGN(const Fd keys, find_map(kKeysMap));  // held here, too, like the links
  TRY_ASSIGN(const Fd claims, find_map(kClaimsMap));
  EventLog log(events);
  {
    TRY_ASSIGN(const Fd lock, take_lock());  // one of two that start at once
    if (has_keeper(roles)) return {};
    TRY(take_role(taker, DIGLIM_ROLE_KEEPER));
  }
  log.count_restart();
  log_line(LOG_WARNING, "the keeper was gone; started again with " + std::to_string(links.size()) +
                            " links; what was denied meanwhile follows");
  keep(events, log);
}

}  // namespace

Result<pid_t> start_keeper(const Programs&, Events& events, const Fd& taker) {
  const pid_t pid = fork();
  if (pid < 0) return from_errno("fork the keeper", errno);
  if (pid == 0) {
    become_daemon(kName);
    if (const auto taken = take_role(taker, DIGLIM_ROLE_KEEPER); !taken) log_line(LOG_ERR, taken.error().message);
    EventLog log(events);
    keep(events, log);
  }
  return pid;
}

void ensure_keeper() {
  const auto roles = open_roles();
  if (!roles || has_keeper(*roles)) return;
  const pid_t pid = fork();
  if (pid != 0) return;
  // By exec, so that the new process has the loader's rights, and its guards, from its first instruction on.
  (void)execl("/proc/self/exe", kName, "keep", nullptr);
  _exit(1);
}

int run_keep(int, char**) {
  become_daemon(kName);
  leave_cgroup();
  const auto result = keep_again();
  if (!result) log_line(LOG_ERR, "the keeper is gone and cannot be started: " + result.error().message);
  return result ? kExitOk : kExitEnvironment;
}

std::optional<pid_t> find_keeper() {
  const std::string name = std::string("Name:\t") + kName + "\n";
  const auto processes = list_folder("/proc");
  if (!processes) return std::nullopt;
  for (const std::string& process : *processes) {
    if (process.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto status = read_stream("/proc/" + process + "/status", 1 << 16);
    if (status && as_text(*status).starts_with(name) &&
        as_text(*status).find("\nUid:\t0\t0\t0\t0\n") != std::string_view::npos) {
      return static_cast<pid_t>(std::strtol(process.c_str(), nullptr, 10));
    }
  }
  return std::nullopt;
}

// systemd and its kin kill what is left from the initramfs unless argv[0] begins with "@" (systemd's
// ROOT_STORAGE_DAEMONS convention); the guard would refuse them for the keeper, but with an event each.
void become_daemon(const char* name) {
  (void)setsid();
  (void)!chdir("/");  // PID 1 is there already
  ignore_all_signals();
  program_invocation_name[0] = '@';  // argv[0], where it can be written
  (void)prctl(PR_SET_NAME, name);
  if (const auto oom = open_file("/proc/self/oom_score_adj", O_WRONLY)) (void)!write(oom->get(), "-1000", 5);
  if (const auto null = open_file("/dev/null", O_RDWR)) {
    for (int fd = 0; fd <= 2; ++fd) (void)dup2(null->get(), fd);  // whoever waits for our pipes must not
  }
}

void log_line(int priority, const std::string& line) {
  // One write is one record. The kernel cuts records at about 1 kB and writes what is not printable as \xNN.
  const std::string record = "<" + std::to_string(priority) + ">diglim: " + line + "\n";
  // Through the folder as it was found first: the keeper stays in the initramfs, from which /dev is moved
  // away. Opened for each line, since the kernel limits the rate of each open file (printk.devkmsg) and
  // denials must not be among what it drops.
  static Fd dev;  // NOLINT: the loader has one thread
  if (!dev) dev = Fd(open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC));
  const Fd log(openat(dev.get(), "kmsg", O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  if (!log || write(log.get(), record.data(), record.size()) < 0) {
    (void)fprintf(stderr, "diglim: %s\n", line.c_str());
  }
}

}  // namespace diglim
