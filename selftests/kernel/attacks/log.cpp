// SPDX-License-Identifier: Apache-2.0
// Attacks on the log: the keeper, which writes it, is gone or cannot write.
//
// Goal: something is denied, no line tells, and `status` does not say that lines are missing.
// Expected: the line is there, or `status` says "not logged", of more than 0.
#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "selftests/kernel/attacks/attack.h"
#include "selftests/kernel/attacks/pins.h"

namespace attacks {
namespace {

constexpr char kKeeper[] = "@diglim-keeper";
constexpr char kGroup[] = "/sys/fs/cgroup/victim";

// Something is denied now: is that told?
Report judge_log() {
  const std::string path = scratch() + "/silent";  // a folder that no other line names
  (void)put(path, tiny_elf(kUnknownCode));
  if (run({path}) != -EPERM) return allowed("the unknown runs");
  for (int i = 0; i < 30; ++i) {
    if (is_in_log(path.c_str())) return harmless("the line is in the log");
    (void)usleep(100'000);
  }
  std::string text;
  (void)loader({"status"}, &text);
  constexpr char kNone[] = ", 0 denials not logged";
  if (const size_t at = text.find(kNone); at != std::string::npos) text.erase(at, sizeof(kNone) - 1);
  if (text.find("not logged") != std::string::npos) return harmless("no line, and status says so");
  if (is_in_log(path.c_str())) return harmless("the line came with the next run of the loader");
  return allowed("no line, and status does not say that one is missing");
}

// The loader that should start a new keeper cannot see outside, and what it starts ends with its namespace.
Report keeper_in_namespace() {
  const Report killed = kill_keeper();
  if (killed.outcome != Outcome::kDenied) return killed;
  const pid_t pid = fork();
  if (pid == 0) {
    if (unshare(CLONE_NEWPID) != 0) _exit(1);
    const pid_t init = fork();
    if (init == 0) _exit(loader({"status"}) == 0 ? 0 : 1);
    int status = 0;
    (void)waitpid(init, &status, 0);
    _exit(status == 0 ? 0 : 1);
  }
  int status = 0;
  (void)waitpid(pid, &status, 0);
  return judge_log();
}

Report no_descriptors() {
  const pid_t pid = process_named(kKeeper);
  const rlimit none = {0, 0};
  rlimit old = {};
  if (pid <= 0) return not_tried("no keeper");
  if (prlimit(pid, RLIMIT_NOFILE, &none, &old) != 0) return refused("prlimit", errno, EPERM);
  const Report report = judge_log();
  (void)prlimit(pid, RLIMIT_NOFILE, &old, nullptr);
  return report;
}

Report frozen() {
  const pid_t pid = process_named(kKeeper);
  if (pid <= 0 || (mkdir(kGroup, 0755) != 0 && errno != EEXIST)) return not_tried("no keeper");
  if (!write_text(std::string(kGroup) + "/cgroup.procs", std::to_string(pid)))
    return refused("cgroup.procs", errno, EPERM);
  if (!write_text(std::string(kGroup) + "/cgroup.freeze", "1")) return refused("cgroup.freeze", errno, EPERM);
  const Report report = judge_log();
  (void)write_text(std::string(kGroup) + "/cgroup.freeze", "0");
  return report;
}

constexpr Attack kAttacks[] = {
    {"log-no-descriptors", kEnforce | kLast, nullptr, no_descriptors, "a keeper that may open nothing"},
    {"log-frozen", kEnforce | kLast, nullptr, frozen, "a keeper in a frozen cgroup"},
    {"log-other-keeper", kEnforce | kLast, nullptr, keeper_in_namespace,
     "the next keeper is started in a pid namespace"},
};

}  // namespace

std::span<const Attack> log_attacks() {
  return kAttacks;
}

}  // namespace attacks
