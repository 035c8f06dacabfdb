// SPDX-License-Identifier: Apache-2.0
#include "selftests/kernel/attacks/attack.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace attacks {

Report allowed(const std::string& what) {
  return {Outcome::kAllowed, what};
}
Report harmless(const std::string& what) {
  return {Outcome::kDenied, what};
}

Report refused(const std::string& step, int error, int wanted) {
  const std::string text = step + ": " + strerror(error);
  if (error == wanted) return {Outcome::kDenied, text};
  // The kernel cannot do it at all, or the machine lacks what it takes: nothing was learned.
  if (error == ENOSYS || error == ENOENT || error == ENODEV) return {Outcome::kNotTried, text};
  return {Outcome::kOtherReason, text + ", not " + strerror(wanted)};
}

Report not_tried(const std::string& step, int error) {
  return {Outcome::kNotTried, error != 0 ? step + ": " + strerror(error) : step};
}

std::vector<uint8_t> tiny_elf(uint8_t code) {
  std::vector<uint8_t> elf = {
      0x7f, 'E',  'L',  'F', 2,  1,    1,    0,
      0,    0,    0,    0,   0,  0,    0,    0,  // e_ident
      2,    0,    62,   0,   1,  0,    0,    0,
      0x78, 0,    0x40, 0,   0,  0,    0,    0,  // ET_EXEC, x86-64, entry 0x400078
      64,   0,    0,    0,   0,  0,    0,    0,
      0,    0,    0,    0,   0,  0,    0,    0,  // program headers at 64
      0,    0,    0,    0,   64, 0,    56,   0,
      1,    0,    64,   0,   0,  0,    0,    0,  // one of 56 bytes
      1,    0,    0,    0,   5,  0,    0,    0,
      0,    0,    0,    0,   0,  0,    0,    0,  // PT_LOAD, r-x, offset 0
      0,    0,    0x40, 0,   0,  0,    0,    0,
      0,    0,    0x40, 0,   0,  0,    0,    0,  // at 0x400000
      0x84, 0,    0,    0,   0,  0,    0,    0,
      0x84, 0,    0,    0,   0,  0,    0,    0,  // sizes
      0,    0x10, 0,    0,   0,  0,    0,    0,  // alignment
      0xbf, code, 0,    0,   0,                  // mov $code, %edi
      0xb8, 60,   0,    0,   0,  0x0f, 0x05,     // mov $60 (exit), %eax; syscall
  };
  return elf;
}

std::vector<uint8_t> code_page(uint8_t code) {
  std::vector<uint8_t> page(4096, 0);
  const uint8_t text[] = {0xb8, code, 0, 0, 0, 0xc3};  // mov $code, %eax; ret
  memcpy(page.data(), text, sizeof(text));
  return page;
}

namespace {

void put_word(std::vector<uint8_t>& bytes, size_t at, uint32_t word) {
  for (size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<uint8_t>(word >> (8 * i));
}

// kUnknownCode plus the tail is kKnownCode.
void put_tail(std::vector<uint8_t>& bytes, bool cut) {
  bytes.resize(kTailAt + 4);
  put_word(bytes, kTailAt, cut ? 0 : static_cast<uint32_t>(kKnownCode - kUnknownCode));
}

}  // namespace

std::vector<uint8_t> tail_elf(bool cut) {
  std::vector<uint8_t> elf = tiny_elf(kUnknownCode);
  put_tail(elf, cut);
  put_word(elf, 0x60, kTailAt + 4);  // the sizes of what is loaded
  put_word(elf, 0x68, kTailAt + 4);
  const uint8_t text[] = {0xbf, kUnknownCode, 0, 0, 0,               // mov $kUnknownCode, %edi
                          0x03, 0x3d,         0, 0, 0, 0,            // add tail(%rip), %edi
                          0xb8, 60,           0, 0, 0, 0x0f, 0x05};  // mov $60 (exit), %eax; syscall
  memcpy(elf.data() + 0x78, text, sizeof(text));
  put_word(elf, 0x7f, kTailAt - 0x83);
  return elf;
}

std::vector<uint8_t> tail_page(bool cut) {
  std::vector<uint8_t> page(4096, 0);
  const uint8_t text[] = {0xb8, kUnknownCode, 0, 0, 0,            // mov $kUnknownCode, %eax
                          0x03, 0x05,         0, 0, 0, 0, 0xc3};  // add tail(%rip), %eax; ret
  memcpy(page.data(), text, sizeof(text));
  put_word(page, 7, kTailAt - 11);
  put_tail(page, cut);
  return page;
}

bool write_known_files(const std::string& folder) {
  (void)mkdir(folder.c_str(), 0755);
  const std::string script = "#!/bin/busybox sh\nexit 42\n";
  // Hashing this takes long: the window for whatever happens meanwhile.
  std::vector<uint8_t> big = tiny_elf(kKnownCode);
  big.resize(24 << 20, 0x5a);
  return put(folder + "/elf", tiny_elf(kKnownCode)) && put(folder + "/page", code_page(kKnownCode)) &&
         put(folder + "/script", {reinterpret_cast<const uint8_t*>(script.data()), script.size()}) &&
         put(folder + "/big", big) && put(folder + "/tail-elf", tail_elf(false)) &&
         put(folder + "/tail-page", tail_page(false));
}

bool put_slow(const std::string& path, std::span<const uint8_t> begin) {
  return put(path, begin) && truncate(path.c_str(), 128 << 20) == 0;
}
bool write_slow_files(const std::string& folder) {
  (void)mkdir(folder.c_str(), 0755);
  return put_slow(folder + "/slow-page", code_page(kKnownCode)) &&
         put_slow(folder + "/slow-elf", tiny_elf(kKnownCode));
}

std::string scratch() {
  if (mkdir("/tmp/attacks", 0755) == 0) (void)chmod("/tmp/attacks", 01777);
  char path[] = "/tmp/attacks/XXXXXX";
  if (mkdtemp(path) == nullptr) abort();
  (void)chmod(path, 0755);
  return path;
}

bool put(const std::string& path, std::span<const uint8_t> bytes, unsigned mode) {
  const Fd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  if (!fd) return false;
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = write(fd.get(), bytes.data() + done, bytes.size() - done);
    if (n <= 0) return false;
    done += static_cast<size_t>(n);
  }
  return true;
}

std::vector<uint8_t> get(const std::string& path) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::vector<uint8_t> all;
  uint8_t part[65536];
  for (ssize_t n = 0; fd && (n = read(fd.get(), part, sizeof(part))) > 0;)
    all.insert(all.end(), part, part + n);
  return all;
}

std::string known(const char* name) {
  return std::string(kBase) + "/known/" + name;
}

std::string known_copy(const char* name, bool run_it) {
  const std::string path = scratch() + "/" + name;
  if (!put(path, get(known(name)))) abort();
  if (run_it && run({path}) != kKnownCode) {
    (void)fprintf(stderr, "the known copy does not run\n");
    abort();
  }
  return path;
}

namespace {

int wait_for(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return -errno;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

template <typename Start>
int start_and_wait(Start start) {
  int report[2];
  if (pipe2(report, O_CLOEXEC) != 0) return -errno;
  const pid_t pid = fork();
  if (pid == 0) {
    start();
    const int error = errno;
    (void)!write(report[1], &error, sizeof(error));
    _exit(126);
  }
  (void)close(report[1]);
  int error = 0;
  const bool failed = read(report[0], &error, sizeof(error)) == sizeof(error);
  (void)close(report[0]);
  const int status = pid > 0 ? wait_for(pid) : -errno;
  return failed ? -error : status;
}

}  // namespace

int run(const std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  return start_and_wait([&] { execv(argv[0], argv.data()); });
}

int run_fd(int fd) {
  char name[] = "victim";
  char* argv[] = {name, nullptr};
  char* envp[] = {nullptr};
  return start_and_wait([&] { syscall(SYS_execveat, fd, "", argv, envp, AT_EMPTY_PATH); });
}

Report judge_run(int result, int wanted) {
  if (result == kUnknownCode) return allowed("the unknown ran");
  if (result < 0) return refused("exec", -result, wanted);
  return {Outcome::kOtherReason, "the program ended with " + std::to_string(result)};
}

void* map_page(int fd, int protection, int flags) {
  void* at = mmap(nullptr, 4096, protection, flags, fd, 0);
  return at == MAP_FAILED ? nullptr : at;
}

int call(void* page) {
  const pid_t pid = fork();  // what it does to itself stays there
  if (pid == 0) {
    (void)signal(SIGSEGV, SIG_DFL);
    _exit(reinterpret_cast<int (*)()>(page)());
  }
  const int status = wait_for(pid);
  return status >= 128 ? -(status - 128) : status;
}

int map_and_call(const std::string& path) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return -errno;
  void* page = map_page(fd.get(), PROT_READ | PROT_EXEC);
  if (page == nullptr) return -errno;
  const int answer = call(page);
  (void)munmap(page, 4096);
  return answer;
}

Report judge_map(int result, int wanted) {
  if (result == kUnknownCode) return allowed("the unknown code ran");
  if (result < 0) return refused("mmap", -result, wanted);
  return {Outcome::kOtherReason, "the code answered " + std::to_string(result)};
}

bool unknown_is_denied() {
  const std::string path = scratch() + "/canary";
  return put(path, tiny_elf(kUnknownCode)) && run({path}) == -EPERM;
}

int loader(const std::vector<std::string>& arguments, std::string* output) {
  std::vector<std::string> all = {"/usr/sbin/diglim-loader"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  const std::string log = scratch() + "/out";
  std::vector<char*> argv;
  for (const std::string& argument : all) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const int status = start_and_wait([&] {
    const int fd = open(log.c_str(), O_WRONLY | O_CREAT, 0600);
    (void)dup2(fd, 1);
    (void)dup2(fd, 2);
    execv(argv[0], argv.data());
  });
  const auto bytes = get(log);
  if (output != nullptr) output->assign(bytes.begin(), bytes.end());
  return status;
}

int count_failed(std::span<const pid_t> pids) {
  int failed = 0;
  for (const pid_t pid : pids) {
    int status = 0;
    (void)waitpid(pid, &status, 0);
    failed += status != 0 ? 1 : 0;
  }
  return failed;
}

bool write_text(const std::string& path, const std::string& text) {
  const Fd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return fd && write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

pid_t process_named(const std::string& name) {
  pid_t found = -1;
  DIR* proc = opendir("/proc");
  for (dirent* entry = nullptr; proc != nullptr && (entry = readdir(proc)) != nullptr;) {
    const auto comm = get(std::string("/proc/") + entry->d_name + "/comm");
    if (std::string(comm.begin(), comm.end()) == name + "\n") found = atoi(entry->d_name);
  }
  if (proc != nullptr) (void)closedir(proc);
  return found;
}

bool enter_user_namespace() {
  const std::string uid = "0 " + std::to_string(geteuid()) + " 1";
  const std::string gid = "0 " + std::to_string(getegid()) + " 1";
  return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && write_text("/proc/self/setgroups", "deny") &&
         write_text("/proc/self/uid_map", uid) && write_text("/proc/self/gid_map", gid);
}

Stacked stack_over(const char* name) {
  const bool user = geteuid() != 0;
  if (user && !enter_user_namespace()) return {};
  const std::string folder = scratch();
  for (const char* part : {"/lower", "/upper", "/work", "/all"}) (void)mkdir((folder + part).c_str(), 0755);
  const Stacked stacked = {folder + "/upper/victim", folder + "/all/victim"};
  const std::string options = "lowerdir=" + folder + "/lower,upperdir=" + folder +
                              "/upper,workdir=" + folder + "/work" + (user ? ",userxattr" : "");
  if (!put(stacked.direct, get(known(name))) ||
      mount("overlay", (folder + "/all").c_str(), "overlay", 0, options.c_str()) != 0)
    return {};
  return stacked;
}

double now() {
  timespec t = {};
  (void)clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

}  // namespace attacks
