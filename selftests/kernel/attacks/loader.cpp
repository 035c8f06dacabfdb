// SPDX-License-Identifier: Apache-2.0
// Attacks on and through the loader, the one program that may change what is known.
//
// Goal: get unknown content accepted with its rights, or leave the table in a state that no honest run
// leaves. Expected: no rights when it could be influenced; rejected lists change nothing; whatever dies, the
// next run works.
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include "selftests/kernel/attacks/attack.h"

namespace attacks {
namespace {

constexpr char kMark[] = "loader without rights";
constexpr char kLoader[] = "/usr/sbin/diglim-loader";
constexpr char kBooted[] = "/run/diglim/loader";  // of this boot: every other one executes it
constexpr char kSelf[] = "/opt/attacks/diglim-attack";

std::string list(const std::string& name) {
  return std::string(kBase) + "/lists/" + name;
}

// The program that list pN names: its path. runs() says whether it is allowed now.
std::string program(int n) {
  const std::string path = scratch() + "/p" + std::to_string(n);
  (void)put(path, tiny_elf(static_cast<uint8_t>(100 + n)));
  return path;
}
bool runs(const std::string& path) {
  return run({path}) >= 100;
}
bool is_listed(int n) {
  return runs(program(n));
}

std::string generation() {
  std::string text;
  (void)loader({"status"}, &text);
  return text.substr(0, text.find("denied:"));
}

Report failed(const std::string& what) {
  return {Outcome::kOtherReason, what};
}

Report load_and_unload() {
  const std::string path = program(0);
  if (runs(path)) return failed("known before it was loaded");
  if (loader({"load", list("p0")}) != 0 || !runs(path)) return failed("load has no effect");
  if (loader({"load", list("p1")}) != 0 || loader({"unload", "p1"}) != 0) return failed("p1");
  if (!runs(path)) return failed("unloading another list broke it");
  if (loader({"unload", "p0"}) != 0 || runs(path)) return failed("it still runs from the cache");
  if (loader({"load", list("p0")}) != 0 || !runs(path))
    return failed("denied from the cache after loading again");
  return loader({"unload", "p0"}) == 0 ? allowed("each change counts at once") : failed("unload");
}

// The loader must change nothing when it is started by `prepare`, which runs in the child before exec.
Report without_rights(const std::function<void()>& prepare, bool traced = false) {
  const pid_t pid = fork();
  if (pid == 0) {
    prepare();
    (void)execl(kLoader, kLoader, "load", list("p2").c_str(), nullptr);
    _exit(126);
  }
  int status = 0;
  while (waitpid(pid, &status, 0) == pid && traced && WIFSTOPPED(status)) {
    (void)ptrace(PTRACE_CONT, pid, nullptr, WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status));
  }
  if (is_listed(2)) {
    (void)loader({"unload", "p2"});
    return allowed("the loader changed the table");
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 3)
    return failed("loader status " + std::to_string(status));
  return harmless("the loader has no rights");
}

Report traced() {
  return without_rights([] { (void)ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); }, true);
}
// Any filter: one with user notification could answer bpf(2) in the kernel's place.
Report filtered() {
  return without_rights([] {
    sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    const sock_fprog program = {1, allow};
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program) < 0)
      _exit(125);
  });
}
Report sharing() {
  return without_rights([] {
    // A sibling that could change the loader's root and working directory while it runs.
    const long pid = syscall(SYS_clone, CLONE_FS | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
    if (pid == 0) {
      for (;;) pause();  // it is ended with the attack
    }
  });
}

// Whatever the environment asks for, it is static and reads its keys from the kernel only.
Report environment() {
  const pid_t pid = fork();
  if (pid == 0) {
    const std::string trap = scratch() + "/trap";
    (void)put(trap, code_page(kUnknownCode));
    for (const char* name :
         {"LD_PRELOAD", "LD_AUDIT", "LD_LIBRARY_PATH", "OPENSSL_CONF", "OPENSSL_MODULES", "OPENSSL_ENGINES",
          "SSL_CERT_FILE", "GCONV_PATH", "LOCPATH", "NLSPATH", "TMPDIR"}) {
      (void)setenv(name, trap.c_str(), 1);
    }
    (void)setenv("GLIBC_TUNABLES", "glibc.malloc.check=3", 1);
    _exit(loader({"load", list("bad-untrusted")}) == 1 && loader({"load", list("p2")}) == 0 ? 0 : 1);
  }
  int status = 0;
  (void)waitpid(pid, &status, 0);
  const bool listed = is_listed(2);
  (void)loader({"unload", "p2"});
  return status == 0 && listed ? allowed("it works as ever") : failed("status " + std::to_string(status));
}

Report copy_of_loader() {
  const std::string path = scratch() + "/copy";
  (void)put(path, get(kLoader));
  const int bad = run({path, "load", list("bad-untrusted")});
  const int good = run({path, "load", list("p2")});
  const bool listed = is_listed(2);
  (void)loader({"unload", "p2"});
  return bad == 1 && good == 0 && listed ? allowed("a copy is the loader, and as strict")
                                         : failed("statuses differ");
}

Report without_descriptors() {
  const pid_t pid = fork();
  if (pid == 0) {
    for (int fd = 0; fd < 64; ++fd) (void)close(fd);
    (void)execl(kLoader, kLoader, "load", list("p2").c_str(), nullptr);
    _exit(126);
  }
  int status = 0;
  (void)waitpid(pid, &status, 0);
  const bool listed = is_listed(2);
  std::string text;
  if (listed != (WEXITSTATUS(status) == 0))
    return failed("says " + std::to_string(status) + ", does otherwise");
  if (listed && loader({"unload", "p2"}, &text) != 0) return failed("unload: " + text);
  return allowed(listed ? "loaded" : "refused, and said so");
}

Report rejected(const char* name) {
  const std::string before = generation();
  std::string text;
  const int status = loader({"load", list(name)}, &text);
  const std::string path = scratch() + "/victim";
  (void)put(path, tiny_elf(kUnknownCode));
  if (run({path}) == kUnknownCode) return allowed("its digest counts");
  if (status != 1 || generation() != before) return failed("status " + std::to_string(status) + ": " + text);
  if (is_listed(7) || is_listed(8)) return allowed("the good lists beside it count");
  return harmless(text.substr(0, text.find('\n')));
}
Report untrusted() {
  return rejected("bad-untrusted");
}
Report unsigned_list() {
  return rejected("bad-unsigned");
}
Report changed() {
  return rejected("bad-changed");
}
Report cut() {
  return rejected("bad-cut");
}
Report mixed() {
  return rejected("mixed");
}

// Ten at once: the final state is exactly what each one's last word says.
Report parallel() {
  pid_t pids[10];
  for (int n = 0; n < 10; ++n) {
    pids[n] = fork();
    if (pids[n] != 0) continue;
    const std::string name = "p" + std::to_string(n);
    int bad = loader({"load", list(name)});
    bad += loader({"unload", name});
    if (n % 2 == 0) bad += loader({"load", list(name)});
    _exit(bad);
  }
  const int errors = count_failed(pids);
  std::string wrong;
  for (int n = 0; n < 10; ++n) {
    if (is_listed(n) != (n % 2 == 0)) wrong += " p" + std::to_string(n);
    (void)loader({"unload", "p" + std::to_string(n)});
  }
  if (!wrong.empty()) return failed("lost updates:" + wrong);
  return errors == 0 ? allowed("the union of all") : failed(std::to_string(errors) + " loaders failed");
}

// The same by ten that cannot see each other's lock: whoever succeeds stays.
Report unlocked() {
  pid_t pids[10];
  for (int n = 0; n < 10; ++n) {
    pids[n] = fork();
    if (pids[n] != 0) continue;
    if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("tmpfs", "/run", "tmpfs", 0, nullptr) != 0)
      _exit(2);
    std::string text;
    for (int i = 0; i < 60; ++i) {
      const int status = loader({"load", list("p" + std::to_string(n))}, &text);
      if (status == 0) _exit(0);
      if (status == 3 && text.find("another loader") != std::string::npos) continue;
      (void)fprintf(stderr, "p%d: status %d: %s\n", n, status, text.c_str());
      _exit(1);
    }
    _exit(3);
  }
  std::string wrong;
  int done = 0;
  for (int n = 0; n < 10; ++n) {
    int status = 0;
    (void)waitpid(pids[n], &status, 0);
    done += status == 0 ? 1 : 0;
    if (WEXITSTATUS(status) == 1 || WEXITSTATUS(status) == 2) wrong += " status of p" + std::to_string(n);
    if (status == 0 && !is_listed(n)) wrong += " lost p" + std::to_string(n);
  }
  for (int n = 0; n < 10; ++n) (void)loader({"unload", "p" + std::to_string(n)});
  if (!wrong.empty()) return failed(wrong);
  return done > 1 ? allowed(std::to_string(done) + " of 10 published, none was lost") : not_tried("no two");
}

// The loader changes whether p3 is loaded, and is killed after so long; 0: it is not. True if that killed it.
bool change_p3(bool load, useconds_t pause_us) {
  const pid_t pid = fork();
  if (pid == 0) {
    const std::string file = list("p3");
    (void)execl(kLoader, kLoader, load ? "load" : "unload", load ? file.c_str() : "p3", nullptr);
    _exit(126);
  }
  if (pause_us > 0) {
    (void)usleep(pause_us);
    (void)kill(pid, SIGKILL);
  }
  int status = 0;
  (void)waitpid(pid, &status, 0);
  return WIFSIGNALED(status);
}

// Killed at any moment: the old generation or the new one, and nobody else has to wait.
Report killed() {
  constexpr int kKills = 24;
  const double start = now();
  for (int i = 0; i < 4; ++i) (void)change_p3(i % 2 == 0, 0);
  const double took = (now() - start) / 4;  // on this machine
  int died = 0;
  for (int i = 0; i < kKills; ++i) {
    const bool load = i % 2 == 0;
    if (load) (void)loader({"unload", "p3"});
    died += change_p3(load, static_cast<useconds_t>(1 + took * 1e6 * i / kKills)) ? 1 : 0;
    if (generation().empty()) return failed("status fails");
    const double began = now();
    if (loader({"load", list("p3")}) != 0 || !is_listed(3)) return failed("load fails after a kill");
    if (now() - began > 10) return failed("the lock was stuck");
  }
  (void)loader({"unload", "p3"});
  return died > 3 ? allowed(std::to_string(died) + " of " + std::to_string(kKills) + " were killed under way")
                  : not_tried("too few were killed");
}

// As PID 1 of a new pid namespace the loader boots again, with keys and lists that the attacker chose.
Report second_boot() {
  const pid_t pid = fork();
  if (pid == 0) {
    if (unshare(CLONE_NEWNS | CLONE_NEWPID) != 0) _exit(125);
    const pid_t init = fork();
    if (init == 0) {
      (void)mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
      if (mount("tmpfs", "/etc", "tmpfs", 0, nullptr) != 0) _exit(125);
      for (const char* folder : {"/etc/diglim", "/etc/diglim/keys", "/etc/digest_lists"})
        (void)mkdir(folder, 0755);
      (void)put("/etc/diglim/keys/mine.pem", get(list("untrusted.pem")));
      (void)put("/etc/digest_lists/bad", get(list("bad-untrusted")));
      const std::string config = "init = /bin/busybox\nmode = permissive\n";
      (void)put("/etc/diglim/loader.conf", {reinterpret_cast<const uint8_t*>(config.data()), config.size()});
      (void)mount("bpf", "/sys/fs/bpf", "bpf", 0, nullptr);
      (void)execl(kLoader, kLoader, nullptr);
      _exit(126);
    }
    int status = 0;
    for (int i = 0; i < 1500 && waitpid(init, &status, WNOHANG) == 0; ++i) (void)usleep(10'000);
    (void)kill(init, SIGKILL);
    _exit(0);
  }
  (void)waitpid(pid, nullptr, 0);
  const std::string path = scratch() + "/victim";
  (void)put(path, tiny_elf(kUnknownCode));
  if (run({path}) == kUnknownCode) return allowed("the unknown runs by the second boot");
  std::string text;
  if (loader({"load", list("bad-untrusted")}, &text) != 1)
    return allowed("the attacker's key is trusted: " + text);
  if (loader({"load", list("p4")}) != 0 || !is_listed(4))
    return failed("what is known is denied now: " + text);
  (void)loader({"unload", "p4"});
  return harmless("the first boot's keys and lists count");
}

// What a process of ours with that outcome did.
Report by_other(pid_t pid, const char* what) {
  int status = 0;
  (void)waitpid(pid, &status, 0);
  const int outcome = WIFEXITED(status) ? WEXITSTATUS(status) : 126;
  if (outcome == 0) return allowed(what);
  return outcome == 1 ? refused(what, EPERM, EPERM) : not_tried(what + (": " + std::to_string(outcome)));
}

// The loader's exec fails after the hook: its file asks for a capability that the process cannot have. Then
// something else is executed.
Report after_failed_exec() {
  const std::string path = scratch() + "/loader";
  vfs_cap_data capability = {};
  capability.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE;
  capability.data[0].permitted = 1U << CAP_SYS_TIME;
  if (!put(path, get(kLoader)) ||
      setxattr(path.c_str(), "security.capability", &capability, sizeof(capability), 0) != 0)
    return not_tried("setxattr", errno);
  const pid_t pid = fork();
  if (pid == 0) {
    if (prctl(PR_CAPBSET_DROP, CAP_SYS_TIME) != 0) _exit(125);
    if (execl(path.c_str(), path.c_str(), "no-such-verb", nullptr) == 0 || errno != EPERM) _exit(124);
    (void)execl(kSelf, kSelf, "--direct", "bpf-map-by-id", nullptr);
    _exit(123);
  }
  return by_other(pid, "another program after a failed exec of the loader");
}

// A loader comes and goes; what has its number afterwards is the child of one that executed as often.
Report same_number() {
  const pid_t pid = fork();
  if (pid == 0) {
    const pid_t first = fork();
    if (first == 0) {
      (void)execl(kBooted, kBooted, "status", nullptr);
      _exit(126);
    }
    int status = 0;
    (void)waitpid(first, &status, 0);
    if (status != 0) _exit(125);
    (void)execl(kSelf, kSelf, "--direct-as", std::to_string(first).c_str(), "bpf-map-by-id", nullptr);
    _exit(123);
  }
  return by_other(pid, "another process with a loader's number");
}

// The loader runs already when somebody wants to trace it.
Report attached() {
  for (useconds_t wait_us = 500; wait_us < 10'000'000; wait_us *= 2) {
    const pid_t pid = fork();
    if (pid == 0) {
      (void)execl(kBooted, kBooted, "status", nullptr);
      _exit(126);
    }
    (void)usleep(wait_us);
    (void)kill(pid, SIGSTOP);
    int status = 0;
    (void)waitpid(pid, &status, WUNTRACED);
    const auto name = get("/proc/" + std::to_string(pid) + "/comm");
    const bool is_loader = WIFSTOPPED(status) && std::string(name.begin(), name.end()) != "diglim-attack\n";
    const bool seized = is_loader && ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) == 0;
    const int error = errno;
    (void)kill(pid, SIGKILL);
    (void)kill(pid, SIGCONT);
    if (!WIFEXITED(status)) (void)waitpid(pid, &status, 0);
    if (seized) return allowed("PTRACE_SEIZE");
    if (is_loader) return refused("PTRACE_SEIZE", error, EPERM);
  }
  return not_tried("the loader was never met");
}

constexpr Attack kAttacks[] = {
    {"loader-load-unload", kEnforce | kHarmless, nullptr, load_and_unload,
     "load, unload, load: cached or not"},
    {"loader-traced", kEnforce, kMark, traced, "the loader under ptrace"},
    {"loader-filtered", kEnforce, kMark, filtered, "the loader under a seccomp filter"},
    {"loader-sharing", kEnforce, kMark, sharing, "the loader sharing its file system state"},
    {"loader-attached", kEnforce, "trace DIGLIM", attached, "PTRACE_SEIZE of a loader that runs"},
    {"loader-failed", kEnforce, nullptr, after_failed_exec, "another program after the loader's exec failed"},
    {"loader-number", kEnforce, nullptr, same_number, "another process with the number of a loader"},
    {"loader-environment", kEnforce | kHarmless, nullptr, environment, "LD_PRELOAD, OPENSSL_CONF and others"},
    {"loader-copy", kEnforce | kHarmless, nullptr, copy_of_loader, "a copy of the loader elsewhere"},
    {"loader-closed-fds", kEnforce | kHarmless, nullptr, without_descriptors,
     "started without stdin, stdout, stderr"},
    {"list-untrusted", kEnforce, nullptr, untrusted, "a list signed by a key that nobody trusts"},
    {"list-unsigned", kEnforce, nullptr, unsigned_list, "a list without signature"},
    {"list-changed", kEnforce, nullptr, changed, "a list with one byte changed"},
    {"list-cut", kEnforce, nullptr, cut, "a list that ends too early"},
    {"list-mixed", kEnforce, nullptr, mixed, "a folder with one bad list among good ones"},
    {"loader-parallel", kEnforce | kHarmless, nullptr, parallel, "ten loaders at once"},
    {"loader-unlocked", kEnforce | kHarmless, nullptr, unlocked, "ten that do not see each other's lock"},
    {"loader-killed", kEnforce | kHarmless, nullptr, killed, "loaders killed at any moment"},
    {"loader-second-boot", kEnforce | kLast, nullptr, second_boot,
     "boot again with other keys in a pid namespace"},
};

}  // namespace

std::span<const Attack> loader_attacks() {
  return kAttacks;
}

}  // namespace attacks
