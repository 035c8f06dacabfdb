// SPDX-License-Identifier: Apache-2.0
// After umount-race has taken the pins: kill the keeper too, and use every instant in which the main programs
// go.
//
// Goal: unknown code runs, or DIGLIM's maps can be reached, while the links go one after the other or
// afterwards. Expected: never once. In the end nothing runs, not even what is known, and bpf(2) is closed.
// Nothing can be executed in this VM afterwards, so this is its last attack.
#include <bpf/bpf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <functional>

#include "selftests/attacks/attack.h"
#include "selftests/attacks/pins.h"

namespace attacks {
namespace {

constexpr double kSeconds = 40;

// What the attackers count together. `won` names what got through, if anything did.
struct Shared {
  volatile int stop;
  volatile long tries;
  char won[64];
};

// Tries one thing over and over; it returns true if it got through.
pid_t start(Shared* common, const char* what, const std::function<bool()>& attempt) {
  const pid_t pid = fork();
  if (pid != 0) return pid;
  while (common->stop == 0) {
    common->tries = common->tries + 1;
    if (!attempt()) continue;
    (void)snprintf(common->won, sizeof(common->won), "%s", what);
    common->stop = 1;
  }
  _exit(0);
}

// A descriptor of one of DIGLIM's maps: with it everything could be rewritten.
bool reach_map() {
  for (__u32 id = 0; bpf_map_get_next_id(id, &id) == 0;) {
    const Fd map(bpf_map_get_fd_by_id(id));
    bpf_map_info info = {};
    __u32 size = sizeof(info);
    if (map && bpf_obj_get_info_by_fd(map.get(), &info, &size) == 0 && strncmp(info.name, "diglim", 6) == 0)
      return true;
  }
  return false;
}
bool reach_program() {
  for (__u32 id = 0; bpf_prog_get_next_id(id, &id) == 0;) {
    const Fd program(bpf_prog_get_fd_by_id(id));
    bpf_prog_info info = {};
    __u32 size = sizeof(info);
    if (program && bpf_obj_get_info_by_fd(program.get(), &info, &size) == 0 &&
        strncmp(info.name, "diglim", 6) == 0)
      return true;
  }
  return false;
}

Report lose_everything() {
  if (!pins_are_real()) return not_tried("DIGLIM is off");
  // umount-race may have taken them already.
  if (access("/sys/fs/bpf/diglim/keys", F_OK) == 0 && !race_for_pins(90).won)
    return not_tried("the race for the pins was not won");
  auto* common =
      static_cast<Shared*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  const std::string known_program = known_copy("elf");
  const std::string unknown = scratch() + "/unknown";
  (void)put(unknown, tiny_elf(kUnknownCode));
  const std::string unknown_page = scratch() + "/page";
  (void)put(unknown_page, code_page(kUnknownCode));
  // A library that is in use all the time: whoever may write to it changes running code.
  const std::string library = known_copy("page", false);
  const Fd fd(open(library.c_str(), O_RDONLY));
  void* page = map_page(fd.get(), PROT_READ | PROT_EXEC, MAP_SHARED);
  if (common == MAP_FAILED || page == nullptr) return not_tried("no victims", errno);

  const pid_t pids[] = {
      start(common, "the unknown ran", [&] { return run({unknown}) == kUnknownCode; }),
      start(common, "the unknown was mapped", [&] { return map_and_call(unknown_page) == kUnknownCode; }),
      start(common, "a mapped library was opened for writing",
            [&] { return static_cast<bool>(Fd(open(library.c_str(), O_WRONLY))); }),
      start(common, "a map of DIGLIM was opened", reach_map),
      start(common, "a program of DIGLIM was opened", reach_program),
      start(common, "ftrace was switched off",
            [] { return write_text("/proc/sys/kernel/ftrace_enabled", "0\n"); }),
  };
  const Report killed = kill_keeper();
  bool dead = false;
  double dead_since = 0;
  for (const double until = now() + kSeconds; now() < until && common->stop == 0;) {
    if (!dead && run({known_program}) == -EPERM) {
      dead = true;
      dead_since = now();
    }
    if (dead && now() - dead_since > 5) break;
    (void)usleep(20'000);
  }
  common->stop = 1;
  for (const pid_t pid : pids) {
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, nullptr, 0);
  }
  const std::string tries = std::to_string(common->tries) + " tries";
  if (common->won[0] != 0) return allowed(std::string(common->won) + " after " + tries);
  if (killed.outcome != Outcome::kDenied) return killed;
  if (!dead) return not_tried("the programs did not go in time; " + tries);
  __u32 id = 0;
  if (bpf_map_get_next_id(0, &id) == 0 || errno != EPERM) return allowed("bpf() still answers");
  return harmless("all is lost, and nothing runs; " + tries);
}

constexpr Attack kAttacks[] = {
    {"umount-race-kill", kEnforce | kLoss, nullptr, lose_everything,
     "cgroup.kill of the keeper after umount-race"},
};

}  // namespace

std::span<const Attack> loss_attacks() {
  return kAttacks;
}

}  // namespace attacks
