// SPDX-License-Identifier: Apache-2.0
// diglim-attack VERB: tries one attack, prints one line, exits with the outcome.
//
// Goal: one program for all attacks, so that a digest list has to name one file.
// Expected: `NAME OUTCOME EVENT detail`, where OUTCOME is allowed, denied, not-tried or other-reason and
// EVENT is what the kernel log said of it: denied, would-deny, none (nothing that fits came), or "-" (no
// event is expected).
#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "selftests/kernel/attacks/attack.h"
#include "selftests/kernel/attacks/pins.h"

namespace attacks {
namespace {

constexpr int kPatience_s = 900;  // the virtual machine may have little of its processors

std::vector<Attack> all_attacks() {
  std::vector<Attack> all;
  for (const auto part :
       {content_attacks(), stale_attacks(), race_attacks(), bpf_attacks(), mount_attacks(), process_attacks(),
        loader_attacks(), ima_attacks(), pinned_attacks(), stacked_attacks(), dropped_attacks(),
        storage_attacks(), private_attacks(), foreign_attacks(), hidden_attacks(), breakpoint_attacks(),
        log_attacks(), more_attacks(), window_attacks()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

const char* outcome_name(Outcome outcome) {
  switch (outcome) {
    case Outcome::kAllowed:
      return "allowed";
    case Outcome::kDenied:
      return "denied";
    case Outcome::kOtherReason:
      return "other-reason";
    case Outcome::kNotTried:
      break;
  }
  return "not-tried";
}

// What the kernel log says since the descriptor was placed at its end. The keeper writes it a moment after
// the denial.
std::string find_event(const Fd& log, const char* wanted) {
  if (wanted == nullptr) return "-";
  const double end = now() + 60;  // if another attack has ended the keeper, its lease has to run out first
  char record[2048];
  while (now() < end) {
    const ssize_t n = read(log.get(), record, sizeof(record) - 1);
    if (n < 0 && errno == EPIPE) continue;  // overwritten meanwhile: go on with the oldest that is left
    if (n < 0) {
      (void)usleep(20'000);
      continue;
    }
    record[n] = 0;
    if (strstr(record, "diglim: ") == nullptr || strstr(record, wanted) == nullptr) continue;
    if (strstr(record, "diglim: denied ") != nullptr) return "denied";
    if (strstr(record, "diglim: would deny ") != nullptr) return "would-deny";
  }
  return "none";
}

// Its own files below /proc stay its own: they are needed to enter a user namespace.
bool become_user() {
  return setgroups(0, nullptr) == 0 && setresgid(1000, 1000, 1000) == 0 && setresuid(1000, 1000, 1000) == 0 &&
         prctl(PR_SET_DUMPABLE, 1) == 0;
}

// In a child: an attack may change whatever it likes about its process, or hang.
Report run_apart(const Attack& attack) {
  int channel[2];
  if (pipe2(channel, O_CLOEXEC) != 0) return not_tried("pipe", errno);
  const pid_t pid = fork();
  if (pid == 0) {
    (void)setpgid(0, 0);
    const Report report =
        (attack.flags & kUser) == 0 || become_user() ? attack.run() : not_tried("become uid 1000", errno);
    std::string line = report.detail;
    line.insert(line.begin(), static_cast<char>('0' + static_cast<int>(report.outcome)));
    (void)!write(channel[1], line.data(), line.size());
    _exit(0);
  }
  (void)setpgid(pid, pid);
  (void)close(channel[1]);
  (void)alarm(kPatience_s);
  char text[1024];
  const ssize_t n = read(channel[0], text, sizeof(text));
  const int error = errno;
  (void)alarm(0);
  (void)kill(-pid, SIGKILL);  // what the attack left running
  int status = 0;
  (void)waitpid(pid, &status, 0);
  if (n < 0) return not_tried("no end", error);
  if (n == 0) return not_tried("the attack died with status " + std::to_string(status));
  return {static_cast<Outcome>(text[0] - '0'), std::string(text + 1, static_cast<size_t>(n - 1))};
}

int attempt(const Attack& attack) {
  const Fd log(open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (log) (void)lseek(log.get(), 0, SEEK_END);
  const Report report = run_apart(attack);
  // What was not tried is in no log, so nothing is waited for.
  const bool is_told = report.outcome != Outcome::kNotTried && diglim_is_there();
  const std::string event = find_event(log, is_told ? attack.event : nullptr);
  printf("%s %s %s %s\n", attack.name, outcome_name(report.outcome), event.c_str(), report.detail.c_str());
  (void)fflush(stdout);
  return static_cast<int>(report.outcome);
}

// Rows for the driver: NAME MODES EXPECTED PART EVENT.
int list() {
  for (const Attack& attack : all_attacks()) {
    std::string modes;
    if ((attack.flags & kOff) != 0) modes += "off,";
    if ((attack.flags & kEnforce) != 0) modes += "enforce,";
    if ((attack.flags & kPermissive) != 0) modes += "permissive,";
    printf("%s %s %s %s %s\n", attack.name, modes.c_str(),
           (attack.flags & kHarmless) != 0 ? "allowed" : "denied",
           (attack.flags & kIma) != 0        ? "ima"
           : (attack.flags & kMeasured) != 0 ? "measured"
           : (attack.flags & kLast) != 0     ? "last"
                                             : "first",
           attack.event != nullptr ? "event" : "-");
  }
  return 0;
}

// One attack in this very process, for those that care which process it is.
int direct(const std::string& verb) {
  for (const Attack& attack : all_attacks()) {
    if (verb == attack.name) return static_cast<int>(attack.run().outcome);
  }
  return 2;
}
// The same in a child with this number.
int direct_as(pid_t pid, const std::string& verb) {
  clone_args arguments = {};
  arguments.exit_signal = SIGCHLD;
  arguments.set_tid = reinterpret_cast<uint64_t>(&pid);
  arguments.set_tid_size = 1;
  const long child = syscall(SYS_clone3, &arguments, sizeof(arguments));
  if (child == 0) _exit(direct(verb));
  int status = 0;
  if (child < 0 || waitpid(static_cast<pid_t>(child), &status, 0) < 0 || !WIFEXITED(status))
    return static_cast<int>(Outcome::kNotTried);
  return WEXITSTATUS(status);
}

int usage(FILE* to) {
  (void)fputs(
      "Usage: diglim-attack VERB...\n"
      "       diglim-attack --list | --write-known DIR | --write-slow DIR | --write-elf FILE CODE\n"
      "       diglim-attack --direct VERB | --direct-as PID VERB\n\n"
      "Tries each attack. Exit status of the last: 0 allowed, 1 denied as it should be, 2 usage, 3 could not "
      "try,\n"
      "4 denied for another reason.\n\nVerbs:\n",
      to);
  for (const Attack& attack : all_attacks()) (void)fprintf(to, "  %-24s %s\n", attack.name, attack.summary);
  return to == stdout ? 0 : 2;
}

}  // namespace
}  // namespace attacks

int main(int argc, char** argv) {
  using namespace attacks;
  (void)signal(SIGALRM, [](int) {});
  struct sigaction act = {};
  act.sa_handler = [](int) {};  // no SA_RESTART: the alarm has to end the read
  (void)sigaction(SIGALRM, &act, nullptr);
  if (argc < 2) return usage(stderr);
  const std::string first = argv[1];
  if (first == "--help") return usage(stdout);
  if (first == "--list") return list();
  if (first == "--write-known" && argc == 3) return write_known_files(argv[2]) ? 0 : 3;
  if (first == "--write-slow" && argc == 3) return write_slow_files(argv[2]) ? 0 : 3;
  if (first == "--direct" && argc == 3) return direct(argv[2]);
  if (first == "--direct-as" && argc == 4) return direct_as(atoi(argv[2]), argv[3]);
  if (first == "--write-elf" && argc == 4)
    return put(argv[2], tiny_elf(static_cast<uint8_t>(atoi(argv[3])))) ? 0 : 3;
  int status = 2;
  for (int i = 1; i < argc; ++i) {
    bool found = false;
    for (const Attack& attack : all_attacks()) {
      if (std::string(attack.name) != argv[i]) continue;
      found = true;
      status = attempt(attack);
    }
    if (!found) return usage(stderr);
  }
  return status;
}
