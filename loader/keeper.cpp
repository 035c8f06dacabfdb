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

#include "loader/event_line.h"

namespace diglim {
namespace {

// systemd and its kin kill what is left from the initramfs unless argv[0] begins with "@" (systemd's
// ROOT_STORAGE_DAEMONS convention); the guard would refuse them, but with an event each. The name is for ps.
constexpr char kName[] = "@diglim-keeper";

void ignore_all_signals() {
  for (int signal = 1; signal < NSIG; ++signal)
    (void)std::signal(signal, SIG_IGN);  // fails for KILL and STOP only
}

[[noreturn]] void keep(Programs& programs) {
  (void)setsid();
  (void)!chdir("/");  // PID 1 is there already
  ignore_all_signals();
  (void)prctl(PR_SET_NAME, kName);
  program_invocation_name[0] = '@';  // argv[0], where it can be written
  if (const auto oom = open_file("/proc/self/oom_score_adj", O_WRONLY)) (void)!write(oom->get(), "-1000", 5);
  if (const auto null = open_file("/dev/null", O_RDWR)) {
    for (int fd = 0; fd <= 2; ++fd) (void)dup2(null->get(), fd);  // whoever waits for our pipes must not
  }
  uint64_t dropped = 0;
  bool hinted = false;
  const auto handle = [&](const diglim_event& event) {
    log_line(event.enforced != 0 ? LOG_ERR : LOG_WARNING, event_line(event));
    if (hinted || event.reason != DIGLIM_REASON_UNKNOWN) return;
    hinted = true;
    log_line(LOG_NOTICE,
             "to allow a file: compact_gen -d DIR -i FILE -k KEY -c CERTIFICATE, then diglim-loader load; "
             "diglim-loader(8) explains these lines");
  };
  const auto tell_drops = [&] {
    const uint64_t now = programs.dropped_events();
    if (now == dropped) return;
    log_line(LOG_WARNING, std::to_string(now - dropped) + " events were lost: the ring buffer was full");
    dropped = now;
  };
  const auto result = programs.read_events(handle, tell_drops);
  log_line(LOG_ERR, "the keeper can no longer read events: " + result.error().message);
  for (;;) pause();  // the links are what matters
}

}  // namespace

Result<pid_t> start_keeper(Programs& programs) {
  const pid_t pid = fork();
  if (pid < 0) return from_errno("fork the keeper", errno);
  if (pid == 0) keep(programs);
  if (auto given = programs.set_role(pid, DIGLIM_ROLE_KEEPER); !given) return std::move(given).error();
  return pid;
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
