// SPDX-License-Identifier: Apache-2.0
#include "loader/keeper.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <syslog.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "loader/event_line.h"

namespace diglim {
namespace {

// systemd and its kin kill what is left from the initramfs unless its name begins with "@" (systemd's
// ROOT_STORAGE_DAEMONS convention); the guard would refuse them, but they would wait for nothing.
constexpr char kName[] = "@diglim-keeper";

void ignore_all_signals() {
  for (int signal = 1; signal < NSIG; ++signal) (void)std::signal(signal, SIG_IGN);  // fails for KILL and STOP only
}

[[noreturn]] void keep(Programs& programs) {
  (void)setsid();
  (void)!chdir("/");  // PID 1 is there already
  ignore_all_signals();
  (void)prctl(PR_SET_NAME, kName);
  if (const auto oom = open_file("/proc/self/oom_score_adj", O_WRONLY)) (void)!write(oom->get(), "-1000", 5);
  if (const auto null = open_file("/dev/null", O_RDWR)) {
    for (int fd = 0; fd <= 2; ++fd) (void)dup2(null->get(), fd);  // whoever waits for our pipes must not
  }
  uint64_t dropped = 0;
  const auto result = programs.read_events([&](const diglim_event& event) {
    log_line(event.enforced != 0 ? LOG_ERR : LOG_WARNING, event_line(event));
    if (const uint64_t now = programs.dropped_events(); now != dropped) {
      log_line(LOG_WARNING, std::to_string(now - dropped) + " events were lost: the ring buffer was full");
      dropped = now;
    }
  });
  log_line(LOG_ERR, "the keeper can no longer read events: " + result.error().message);
  for (;;) pause();  // the links are what matters
}

}  // namespace

Result<pid_t> start_keeper(Programs& programs) {
  const pid_t pid = fork();
  if (pid < 0) return from_errno("fork the keeper", errno);
  if (pid == 0) keep(programs);
  programs.set_keeper(pid);
  return pid;
}

void log_line(int priority, const std::string& line) {
  // One write is one record. The kernel cuts records at about 1 kB and writes what is not printable as \xNN.
  const std::string record = "<" + std::to_string(priority) + ">diglim: " + line + "\n";
  const auto log = open_file("/dev/kmsg", O_WRONLY | O_NONBLOCK);
  if (!log || write(log->get(), record.data(), record.size()) < 0) {
    (void)fprintf(stderr, "diglim: %s\n", line.c_str());
  }
}

}  // namespace diglim
