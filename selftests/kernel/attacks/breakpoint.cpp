// SPDX-License-Identifier: Apache-2.0
// Breakpoints (uprobes) in the loader's code: one in the middle of an instruction changes what it does.
//
// Goal: a loader with a breakpoint, used or not, changes the table. With DIGLIM off a known program stands
// in, whose answer the breakpoint changes. Expected: the loader runs without rights, and an event says so.
#include <elf.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "selftests/kernel/attacks/attack.h"
#include "selftests/kernel/attacks/pins.h"

namespace attacks {
namespace {

constexpr char kMark[] = "loader without rights";
constexpr char kLoader[] = "/run/diglim/loader";  // of this boot: every other one executes it
constexpr char kEvents[] = "/sys/kernel/tracing/uprobe_events";

// Where in the file the first instruction lies, and where the code ends.
struct Text {
  uint64_t entry = 0;
  uint64_t end = 0;
};
Text text_of(const std::string& path) {
  const auto bytes = get(path);
  Text text;
  Elf64_Ehdr head;
  if (bytes.size() < sizeof(head)) return text;
  memcpy(&head, bytes.data(), sizeof(head));
  for (size_t i = 0; i < head.e_phnum; ++i) {
    Elf64_Phdr part;
    memcpy(&part, bytes.data() + head.e_phoff + i * sizeof(part), sizeof(part));
    if (part.p_type != PT_LOAD || (part.p_flags & PF_X) == 0) continue;
    text.entry = head.e_entry - part.p_vaddr + part.p_offset;
    text.end = part.p_offset + part.p_filesz;
  }
  return text;
}

// By perf_event_open(2): there as long as the descriptor.
Fd place(const std::string& path, uint64_t offset) {
  const auto type = get("/sys/bus/event_source/devices/uprobe/type");
  perf_event_attr attributes = {};
  attributes.size = sizeof(attributes);
  attributes.type = static_cast<__u32>(atoi(std::string(type.begin(), type.end()).c_str()));
  attributes.config1 = reinterpret_cast<uint64_t>(path.c_str());
  attributes.config2 = offset;
  if (type.empty()) return errno = ENOENT, Fd();
  return Fd(static_cast<int>(syscall(SYS_perf_event_open, &attributes, -1, 0, -1, PERF_FLAG_FD_CLOEXEC)));
}

Report judge_decoy(const std::string& path) {
  const int result = run({path});
  return result == kKnownCode ? not_tried("the breakpoint changes nothing")
                              : allowed("a known program answered " + std::to_string(result));
}

Report judge_loader() {
  std::string text;
  const int status = loader({"load", std::string(kBase) + "/lists/p6"}, &text);
  const std::string path = scratch() + "/p6";
  (void)put(path, tiny_elf(106));
  if (run({path}) == 106) return allowed("a loader with a breakpoint changed the table");
  // It may also crash, by what the breakpoint did to it.
  return status != 0 ? harmless("the loader has no rights")
                     : Report{Outcome::kOtherReason, "it said that all went well: " + text};
}
// What was undone must not count for ever.
Report judge_afterwards(const Report& report) {
  if (loader({"load", std::string(kBase) + "/lists/p6"}) != 0)
    return {Outcome::kOtherReason,
            "without the breakpoint the loader has no rights either; " + report.detail};
  (void)loader({"unload", "p6"});
  return report;
}

Report with_breakpoint(uint64_t Text::*where, uint64_t change) {
  if (!diglim_is_there()) {
    const std::string decoy = known_copy("elf");
    const Fd probe = place(decoy, kElfCodeAt);
    return probe ? judge_decoy(decoy) : not_tried("perf_event_open", errno);
  }
  const Text text = text_of(kLoader);
  Fd probe = place(kLoader, text.*where + change);
  if (!probe) return refused("perf_event_open", errno, EPERM);
  const Report report = judge_loader();
  probe = Fd();
  return judge_afterwards(report);
}
Report at_entry() {
  return with_breakpoint(&Text::entry, 0);
}
Report at_unused() {
  return with_breakpoint(&Text::end, static_cast<uint64_t>(-8));
}

Report by_tracefs() {
  const bool real = diglim_is_there();
  const std::string path = real ? kLoader : known_copy("elf");
  char line[512];
  (void)snprintf(line, sizeof(line), "p:attack/one %s:0x%llx", path.c_str(),
                 static_cast<unsigned long long>(real ? text_of(path).entry : kElfCodeAt));
  if (access(kEvents, F_OK) != 0)  // another attack has unmounted it
    (void)mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, nullptr);
  {
    const Fd events(open(kEvents, O_WRONLY | O_APPEND | O_CLOEXEC));
    if (!events) return not_tried(kEvents, errno);
    if (write(events.get(), line, strlen(line)) < 0) return refused("write uprobe_events", errno, EPERM);
  }
  const std::string enable = "/sys/kernel/tracing/events/attack/one/enable";
  if (!write_text(enable, "1")) return refused("enable the event", errno, EPERM);
  const Report report = real ? judge_loader() : judge_decoy(path);
  (void)write_text(enable, "0");
  (void)write_text(kEvents, "-:attack/one");
  return real ? judge_afterwards(report) : report;
}

// The loader has begun already, and has its rights.
Report in_running(bool take_away) {
  if (!diglim_is_there()) return not_tried("no loader");
  const std::string list = std::string(kBase) + "/lists/p6";
  const std::string path = scratch() + "/p6";
  (void)put(path, tiny_elf(106));
  const Text text = text_of(kLoader);
  for (useconds_t wait_us = 500; wait_us < 200'000; wait_us *= 2) {
    const pid_t pid = fork();
    if (pid == 0) {
      (void)execl(kLoader, kLoader, "load", list.c_str(), nullptr);
      _exit(126);
    }
    (void)usleep(wait_us);
    (void)kill(pid, SIGSTOP);
    int stopped = 0;
    (void)waitpid(pid, &stopped, WUNTRACED);
    // Else it had done its work before the breakpoint came.
    const bool in_time = WIFSTOPPED(stopped) && run({path}) != 106;
    const auto name = get("/proc/" + std::to_string(pid) + "/comm");
    Fd probe = place(kLoader, text.end - 8);
    if (!probe) {
      const int error = errno;
      (void)kill(pid, SIGKILL);
      return refused("perf_event_open", error, EPERM);
    }
    if (take_away) probe = Fd();
    (void)kill(pid, SIGCONT);
    int status = 0;
    (void)waitpid(pid, &status, 0);
    probe = Fd();
    const bool listed = run({path}) == 106;
    (void)loader({"unload", "p6"});
    if (in_time && listed && std::string(name.begin(), name.end()) != "diglim-attack\n")
      return allowed("a breakpoint was placed in a running loader, which then changed the table");
  }
  return harmless("the loader has no rights");
}

Report while_running() {
  return in_running(false);
}
Report taken_away() {
  return in_running(true);
}

// A breakpoint that was there for a moment does not silence the log.
Report in_keeper() {
  const pid_t keeper = process_named("@diglim-keeper");
  if (keeper < 0) return not_tried("no keeper");
  const std::string exe = "/proc/" + std::to_string(keeper) + "/exe";
  if (!place(exe, text_of(kLoader).end - 8)) return refused("perf_event_open", errno, EPERM);
  (void)usleep(4'000'000);  // it renews its lease meanwhile
  const std::string path = scratch() + "/after-breakpoint";
  (void)put(path, tiny_elf(kUnknownCode));
  return run({path}) == kUnknownCode ? allowed("the unknown runs") : refused("exec", EPERM, EPERM);
}

constexpr Attack kAttacks[] = {
    {"breakpoint", kOff | kEnforce | kLast, kMark, at_entry,
     "a breakpoint in the loader, by perf_event_open"},
    {"breakpoint-unused", kOff | kEnforce | kLast, kMark, at_unused, "the same where it never comes by"},
    {"breakpoint-tracefs", kOff | kEnforce | kLast, kMark, by_tracefs, "a breakpoint by uprobe_events"},
    {"breakpoint-running", kEnforce | kLast, nullptr, while_running,
     "a breakpoint in a loader that runs already"},
    {"breakpoint-removed", kEnforce | kLast, nullptr, taken_away, "the same, taken away again at once"},
    {"breakpoint-keeper", kEnforce | kLast, "/after-breakpoint: not on any digest list", in_keeper,
     "the same in the keeper: what is denied then is told"},
};

}  // namespace

std::span<const Attack> breakpoint_attacks() {
  return kAttacks;
}

}  // namespace attacks
