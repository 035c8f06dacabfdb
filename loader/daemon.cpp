// SPDX-License-Identifier: Apache-2.0
#include "loader/daemon.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "lib/base/file.h"

namespace diglim {
namespace {

void ignore_all_signals() {
  for (int signal = 1; signal < NSIG; ++signal)
    (void)std::signal(signal, SIG_IGN);  // fails for KILL and STOP only
}

}  // namespace

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

}  // namespace diglim
