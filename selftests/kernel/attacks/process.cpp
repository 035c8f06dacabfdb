// SPDX-License-Identifier: Apache-2.0
// Attacks on the keeper, and on what connects the programs to the kernel's hooks (ftrace).
//
// Goal: stop or take over the keeper, or switch the programs off.
// Expected: EPERM and an event; where the kernel kills the keeper without asking (cgroup.kill), all is
// still enforced. With DIGLIM off a decoy process stands in for the keeper.
#include <dirent.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "selftests/kernel/attacks/attack.h"
#include "selftests/kernel/attacks/pins.h"

namespace attacks {
namespace {

constexpr char kTrace[] = "trace DIGLIM";
constexpr char kSignal[] = "signal the keeper";
constexpr char kLimit[] = "limit the keeper";
constexpr char kFtrace[] = "switch off ftrace";
constexpr char kSwitch[] = "/proc/sys/kernel/ftrace_enabled";

// The keeper; with DIGLIM off a child that does what the keeper does: ignore signals and wait.
pid_t target() {
  if (!diglim_is_there()) {
    int ready[2];
    if (pipe2(ready, O_CLOEXEC) != 0) return -1;
    const pid_t pid = fork();
    if (pid == 0) {
      (void)signal(SIGTERM, SIG_IGN);
      (void)setpgid(0, 0);
      (void)!write(ready[1], "", 1);
      for (;;) pause();
    }
    char byte = 0;
    (void)!read(ready[0], &byte, 1);
    (void)close(ready[0]);
    (void)close(ready[1]);
    return pid;
  }
  return process_named("@diglim-keeper");
}

bool is_alive(pid_t pid) {
  if (pid <= 0) return false;
  (void)waitpid(pid, nullptr, WNOHANG);
  return kill(pid, 0) == 0 || errno == EPERM;
}

Report judge(const char* step, long result) {
  const int error = errno;
  return result >= 0 ? allowed(step) : refused(step, error, EPERM);
}

Report signal_with(int number) {
  const pid_t pid = target();
  if (pid <= 0) return not_tried("no keeper");
  return judge("kill", kill(pid, number));
}
Report signal_kill() {
  return signal_with(SIGKILL);
}
Report signal_stop() {
  return signal_with(SIGSTOP);
}
Report signal_term() {
  return signal_with(SIGTERM);
}
Report signal_group() {
  const pid_t pid = target();
  if (pid <= 0) return not_tried("no keeper");
  return judge("kill the group", kill(-pid, SIGKILL));
}
Report signal_pidfd() {
  const Fd fd(static_cast<int>(syscall(SYS_pidfd_open, target(), 0)));
  if (!fd) return not_tried("pidfd_open", errno);
  return judge("pidfd_send_signal", syscall(SYS_pidfd_send_signal, fd.get(), SIGKILL, nullptr, 0));
}
Report signal_thread() {
  const pid_t pid = target();
  return judge("tgkill", syscall(SYS_tgkill, pid, pid, SIGKILL));
}

Report trace_seize() {
  const pid_t pid = target();
  const Report report =
      judge("PTRACE_SEIZE", ptrace(static_cast<__ptrace_request>(PTRACE_SEIZE), pid, nullptr, nullptr));
  return report;  // the end of this process detaches
}
Report trace_attach() {
  const pid_t pid = target();
  const long result = ptrace(PTRACE_ATTACH, pid, nullptr, nullptr);
  const Report report = judge("PTRACE_ATTACH", result);
  if (result == 0) {
    (void)waitpid(pid, nullptr, __WALL);
    (void)ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
  }
  return report;
}

// A writable page of the process, from its maps; 0 if they cannot be read.
uintptr_t writable_page(pid_t pid) {
  const auto bytes = get("/proc/" + std::to_string(pid) + "/maps");
  const std::string maps(bytes.begin(), bytes.end());
  const size_t at = maps.find(" rw-p ");
  if (at == std::string::npos) return 0;
  const size_t line = maps.rfind('\n', at);
  return std::strtoull(maps.c_str() + (line == std::string::npos ? 0 : line + 1), nullptr, 16);
}

Report memory_writev() {
  const pid_t pid = target();
  const uintptr_t at = writable_page(pid);
  if (at == 0) return not_tried("no maps");
  uint8_t byte = 0;
  const iovec local = {&byte, 1};
  const iovec remote = {reinterpret_cast<void*>(at), 1};
  // The byte that is there already: permissive mode has to survive this.
  if (process_vm_readv(pid, &local, 1, &remote, 1, 0) != 1) return refused("process_vm_readv", errno, EPERM);
  return judge("process_vm_writev", process_vm_writev(pid, &local, 1, &remote, 1, 0));
}
Report memory_file() {
  const Fd fd(open(("/proc/" + std::to_string(target()) + "/mem").c_str(), O_RDWR));
  return fd ? allowed("/proc/PID/mem is open for writing") : refused("open /proc/PID/mem", errno, EACCES);
}
Report take_descriptor() {
  const Fd process(static_cast<int>(syscall(SYS_pidfd_open, target(), 0)));
  if (!process) return not_tried("pidfd_open", errno);
  int error = EBADF;
  for (int fd = 0; fd < 64; ++fd) {
    const Fd taken(static_cast<int>(syscall(SYS_pidfd_getfd, process.get(), fd, 0)));
    if (taken) return allowed("took descriptor " + std::to_string(fd));
    if (errno != EBADF) error = errno;
  }
  return refused("pidfd_getfd", error, EPERM);
}
// Opening what /proc/PID/fd shows makes a new open file, which anonymous inodes do not have.
Report proc_descriptor() {
  const std::string folder = "/proc/" + std::to_string(target()) + "/fd/";
  int opened = 0;
  for (int fd = 3; fd < 64; ++fd) {
    char link[PATH_MAX] = {};
    const std::string path = folder + std::to_string(fd);
    if (readlink(path.c_str(), link, sizeof(link) - 1) < 0 || strstr(link, "bpf") == nullptr) continue;
    ++opened;
    const Fd taken(open(path.c_str(), O_RDONLY));
    if (taken) return allowed("opened " + std::string(link));
  }
  return opened > 0 ? harmless(std::to_string(opened) + " descriptors, none opens")
                    : not_tried("no descriptors seen");
}

Report limit() {
  const pid_t pid = target();
  const rlimit none = {0, 0};
  return pid > 0 ? judge("prlimit", prlimit(pid, RLIMIT_NOFILE, &none, nullptr)) : not_tried("no keeper");
}

Report judge_switch(const char* step, bool wrote, int error) {
  const auto value = get(kSwitch);
  const bool is_off = !value.empty() && value[0] == '0';
  if (wrote || is_off) (void)write_text(kSwitch, "1\n");
  if (!is_off && error == EOPNOTSUPP) return not_tried("this kernel's ftrace cannot be switched off");
  return is_off ? allowed(step) : refused(step, error, EPERM);
}
Report ftrace_write() {
  const bool wrote = write_text(kSwitch, "0\n");
  return judge_switch("write", wrote, errno);
}
Report ftrace_read_write() {
  const Fd fd(open(kSwitch, O_RDWR));
  const bool wrote = fd && write(fd.get(), "0\n", 2) == 2;
  return judge_switch("write by O_RDWR", wrote, errno);
}
Report ftrace_reopen() {
  const Fd fd(open(kSwitch, O_PATH));
  const bool wrote = write_text("/proc/self/fd/" + std::to_string(fd.get()), "0\n");
  return judge_switch("write by /proc/self/fd", wrote, errno);
}
Report ftrace_bind() {
  const std::string at = scratch() + "/other";
  (void)put(at, {});
  if (mount(kSwitch, at.c_str(), nullptr, MS_BIND, nullptr) != 0) return not_tried("bind", errno);
  const bool wrote = write_text(at, "0\n");
  const int error = errno;
  (void)umount2(at.c_str(), MNT_DETACH);
  return judge_switch("write by a bind mount", wrote, error);
}
Report ftrace_other_proc() {
  const std::string at = scratch();
  if (mount("proc", at.c_str(), "proc", 0, nullptr) != 0) return not_tried("mount proc", errno);
  const bool wrote = write_text(at + "/sys/kernel/ftrace_enabled", "0\n");
  const int error = errno;
  (void)umount2(at.c_str(), MNT_DETACH);
  return judge_switch("write by another procfs", wrote, error);
}
Report ftrace_sysctl() {
  (void)run({"/bin/busybox", "sysctl", "-w", "kernel.ftrace_enabled=0"});
  const auto value = get(kSwitch);
  if (!value.empty() && value[0] == '0') return judge_switch("sysctl", true, 0);
  (void)write_text(kSwitch, "0\n");  // sysctl(8) does not tell the error
  return judge_switch("sysctl", true, errno);
}

Report cgroup_kill() {
  const Report report = kill_keeper();
  if (report.outcome != Outcome::kDenied) return report;
  return unknown_is_denied() ? harmless("it died, the programs still enforce")
                             : allowed("it died, and nothing is enforced");
}
Report loader_without_keeper() {
  const std::string path = scratch() + "/p5";
  (void)put(path, tiny_elf(105));
  if (target() > 0) return not_tried("the keeper is still there");
  const int before = run({path});
  (void)loader({"load", std::string(kBase) + "/lists/p5"});
  const int after = run({path});
  (void)loader({"unload", "p5"});
  if (before == -EPERM && after == 105) return allowed("lists can be loaded without the keeper");
  return refused("load", EIO, 0);
}

// Any user can be denied as often as he likes. With DIGLIM off, a keeper without bounds is played by
// ourselves.
Report flood_log() {
  constexpr int kDenials = 20'000;
  constexpr char kMarker[] = "diglim-attack: what must stay in the log\n";
  if (!write_text("/dev/kmsg", kMarker) || !is_in_log(kMarker)) return not_tried("no kernel log", errno);
  const std::string path = scratch() + "/unknown";
  (void)put(path, code_page(kUnknownCode));
  const pid_t pid = fork();
  if (pid == 0) {
    const bool real = diglim_is_there();
    const Fd fd(open(path.c_str(), O_RDONLY));
    if (real && setuid(65534) != 0) _exit(1);
    const std::string line = "diglim-attack: " + std::string(150, '.') + "\n";
    for (int i = 0; i < kDenials; ++i) {
      if (!real) (void)write_text("/dev/kmsg", line);
      if (real && map_page(fd.get(), PROT_READ | PROT_EXEC) != nullptr) _exit(2);
    }
    _exit(0);
  }
  int status = 0;
  (void)waitpid(pid, &status, 0);
  if (status != 0) return not_tried("status " + std::to_string(status));
  if (diglim_is_there()) (void)loader({"status"});  // which waits for what the keeper has to read still
  (void)sleep(2);
  return is_in_log(kMarker) ? harmless("what was in the log before is still there")
                            : allowed("older lines are pushed out of the log");
}

constexpr Attack kAttacks[] = {
    {"keeper-kill", kOff | kEnforce, kSignal, signal_kill, "SIGKILL to the keeper"},
    {"keeper-stop", kOff | kEnforce, kSignal, signal_stop, "SIGSTOP to the keeper"},
    {"keeper-term", kAll, kSignal, signal_term, "SIGTERM to the keeper"},
    {"keeper-kill-group", kOff | kEnforce, kSignal, signal_group, "SIGKILL to its process group"},
    {"keeper-kill-pidfd", kOff | kEnforce, kSignal, signal_pidfd, "SIGKILL by pidfd"},
    {"keeper-kill-thread", kOff | kEnforce, kSignal, signal_thread, "SIGKILL by tgkill"},
    {"keeper-trace", kAll, kTrace, trace_attach, "PTRACE_ATTACH to the keeper"},
    {"keeper-seize", kAll, kTrace, trace_seize, "PTRACE_SEIZE of the keeper"},
    {"keeper-writev", kAll, kTrace, memory_writev, "process_vm_writev into the keeper"},
    {"keeper-mem", kAll, kTrace, memory_file, "/proc/PID/mem of the keeper"},
    {"keeper-getfd", kAll, kTrace, take_descriptor, "pidfd_getfd of its descriptors"},
    {"keeper-proc-fd", kEnforce, nullptr, proc_descriptor, "open /proc/PID/fd of its descriptors"},
    {"keeper-limit", kOff | kEnforce, kLimit, limit, "no descriptors for the keeper, by prlimit"},
    {"log-flood", kOff | kEnforce, nullptr, flood_log, "push lines out of the kernel log by denials"},
    {"ftrace-write", kAll, kFtrace, ftrace_write, "0 to kernel.ftrace_enabled"},
    {"ftrace-rdwr", kAll, kFtrace, ftrace_read_write, "the same by O_RDWR"},
    {"ftrace-reopen", kAll, kFtrace, ftrace_reopen, "the same by an O_PATH descriptor"},
    {"ftrace-bind", kAll, kFtrace, ftrace_bind, "the same by a bind mount of the file"},
    {"ftrace-other-proc", kAll, kFtrace, ftrace_other_proc, "the same by another procfs"},
    {"ftrace-sysctl", kAll, kFtrace, ftrace_sysctl, "the same by sysctl(8)"},
    {"keeper-cgroup-kill", kOff | kEnforce | kLast, nullptr, cgroup_kill, "cgroup.kill of the keeper"},
    {"loader-without-keeper", kEnforce | kHarmless | kLast, nullptr, loader_without_keeper,
     "lists when the keeper is dead"},
};

}  // namespace

bool is_in_log(const char* text) {
  const Fd log(open("/dev/kmsg", O_RDONLY | O_NONBLOCK));
  char record[2048];
  for (;;) {
    const ssize_t n = read(log.get(), record, sizeof(record) - 1);
    if (n < 0 && errno == EPIPE) continue;  // overwritten meanwhile
    if (n <= 0) return false;
    record[n] = 0;
    if (strstr(record, text) != nullptr) return true;
  }
}

// SIGKILL from the kernel: no hook is asked.
Report kill_keeper() {
  const pid_t pid = target();
  const std::string folder = "/sys/fs/cgroup/victim";
  if (pid <= 0 || (mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST)) return not_tried("mkdir", errno);
  if (!write_text(folder + "/cgroup.procs", std::to_string(pid)))
    return refused("cgroup.procs", errno, EPERM);
  if (!write_text(folder + "/cgroup.kill", "1")) return refused("cgroup.kill", errno, EPERM);
  for (int i = 0; i < 1500 && is_alive(pid); ++i) (void)usleep(20'000);
  return is_alive(pid) ? not_tried("it is still alive") : harmless("it died");
}

std::span<const Attack> process_attacks() {
  return kAttacks;
}

}  // namespace attacks
