// SPDX-License-Identifier: Apache-2.0
// Instants that are made long: a hash that takes seconds, a mapping that waits for its address space. And
// what must go on around the tests for them.
//
// Goal: write, cut or unlist in the instant between check and use.
// Expected: refused, each time; what is no attack works.
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>
#include <thread>

#include "selftests/kernel/attacks/attack.h"
#include "selftests/kernel/attacks/hold_page.h"
#include "selftests/kernel/attacks/pins.h"

namespace attacks {
namespace {

constexpr char kMapped[] = "it is mapped executable";

bool poke(const std::string& path, size_t at, uint8_t value) {
  const Fd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return fd && pwrite(fd.get(), &value, 1, static_cast<off_t>(at)) == 1;
}

char state_of(pid_t pid) {
  const auto bytes = get("/proc/" + std::to_string(pid) + "/stat");
  const std::string text(bytes.begin(), bytes.end());
  const size_t at = text.rfind(") ");
  return at == std::string::npos ? '?' : text[at + 2];
}

// Between the hook and the mapping the kernel waits for the lock of the address space. A thread keeps that:
// it reads, through /proc/self/mem, a page that a slow server has.
Report mapped_window() {
  const std::string path = known_copy("page", false);
  (void)map_and_call(path);
  const SlowFile slow = serve_slowly(nullptr);
  int go[2];
  if (slow.path.empty() || pipe2(go, O_CLOEXEC) != 0) return not_tried("mount FUSE", errno);
  const pid_t pid = fork();
  if (pid == 0) {
    const Fd reader(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    const Fd file(open(slow.path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat info = {};
    void* page = map_page(file.get(), PROT_READ);
    if (page == nullptr || fstat(file.get(), &info) != 0) _exit(1);  // which tells the kernel its size
    std::thread([page] {
      const Fd memory(open("/proc/self/mem", O_RDONLY | O_CLOEXEC));
      uint8_t byte = 0;
      (void)!pread(memory.get(), &byte, 1, reinterpret_cast<off_t>(page));
    }).detach();
    char byte = 0;
    (void)!read(go[0], &byte, 1);
    void* code = map_page(reader.get(), PROT_READ | PROT_EXEC);
    _exit(code != nullptr ? reinterpret_cast<int (*)()>(code)() : 2);
  }
  pollfd reads = {slow.held, POLLIN, 0};
  if (poll(&reads, 1, 60'000) != 1) return not_tried("nobody reads the slow page");
  (void)!write(go[1], "", 1);
  bool waits = false;
  for (int i = 0; i < 3000 && !waits; ++i) {
    (void)usleep(20'000);
    waits = state_of(pid) == 'D';
  }
  const bool written = poke(path, kPageCodeAt, kUnknownCode);
  const int error = errno;
  const auto page = code_page(0);
  (void)!write(slow.content, page.data(), page.size());
  int status = 0;
  (void)waitpid(pid, &status, 0);
  if (!waits) return not_tried("the mapping does not wait");
  if (!written) return refused("open for writing", error, ETXTBSY);
  return judge_map(WEXITSTATUS(status), ETXTBSY);
}

// The beginning is changed when it has been hashed, and the rest is not hashed yet.
Report while_hashed(bool writer_is_first) {
  const std::string path = scratch() + "/slow";
  if (!put_slow(path, code_page(kKnownCode))) return not_tried("write", errno);
  Fd writer;
  if (writer_is_first) writer = Fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  int go[2];
  int ready[2];
  if (pipe2(go, O_CLOEXEC) != 0 || pipe2(ready, O_CLOEXEC) != 0) return not_tried("pipe", errno);
  const pid_t pid = fork();
  if (pid == 0) {
    writer = Fd();
    const Fd reader(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    (void)!write(ready[1], "", 1);
    void* code = map_page(reader.get(), PROT_READ | PROT_EXEC);
    if (code == nullptr) _exit(errno == EPERM ? 1 : 2);
    char byte = 0;
    (void)!read(go[0], &byte, 1);
    _exit(reinterpret_cast<int (*)()>(code)());
  }
  char byte = 0;
  (void)!read(ready[0], &byte, 1);
  (void)usleep(300'000);
  if (!writer) writer = Fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  const uint8_t code = kUnknownCode;
  const bool written = writer && pwrite(writer.get(), &code, 1, kPageCodeAt) == 1;
  const int error = errno;
  writer = Fd();
  (void)!write(go[1], "", 1);
  int status = 0;
  (void)waitpid(pid, &status, 0);
  if (!written) return refused("open for writing", error, ETXTBSY);
  return judge_map(WEXITSTATUS(status) == 1 ? -EPERM : WEXITSTATUS(status), EPERM);
}
Report writer_leaves() {
  return while_hashed(true);
}
Report writer_comes_and_goes() {
  return while_hashed(false);
}

// IMA cannot be stopped while it hashes.
Report huge() {
  const std::string path = scratch() + "/huge";
  if (!put(path, tiny_elf(kUnknownCode)) || truncate(path.c_str(), 5LL << 30) != 0)
    return not_tried("write", errno);
  const pid_t pid = fork();
  if (pid == 0) {
    const int result = run({path});
    _exit(result == -EPERM ? 1 : result < 0 ? 2 : result);
  }
  int status = 0;
  for (int i = 0; i < 1500; ++i) {
    if (waitpid(pid, &status, WNOHANG) == pid)
      return judge_run(WEXITSTATUS(status) == 1 ? -EPERM : WEXITSTATUS(status), EPERM);
    (void)usleep(20'000);
  }
  return allowed("the kernel hashes on and on");
}

// Its verdict comes from an exec, which fails for its format: no mapping has left a mark.
Report made_executable_then_written() {
  const std::string path = known_copy("page", false);
  if (run({path}) != -ENOEXEC) return not_tried("exec", errno);
  const Fd reader(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  void* page = map_page(reader.get(), PROT_READ, MAP_SHARED);
  if (page == nullptr || mprotect(page, 4096, PROT_READ | PROT_EXEC) != 0)
    return not_tried("mprotect", errno);
  if (!poke(path, kPageCodeAt, kUnknownCode)) return refused("open for writing", errno, ETXTBSY);
  return judge_map(call(page), ETXTBSY);
}

// As a linker that writes its output by a mapping does with a program that ran before.
Report mark_goes() {
  const std::string path = known_copy("page", false);
  if (map_and_call(path) != kKnownCode) return not_tried("the known content is denied");
  const Fd writer(open(path.c_str(), O_RDWR | O_CLOEXEC));
  void* page = map_page(writer.get(), PROT_READ | PROT_WRITE, MAP_SHARED);
  if (page == nullptr) return refused("mmap", errno, 0);
  return poke(path, kPageCodeAt, kUnknownCode) ? allowed("open for writing twice")
                                               : refused("open for writing", errno, 0);
}

// Denied as long as it is open for writing, and no longer.
Report private_by_writer() {
  const std::string path = known_copy("page", false);
  {
    const Fd writer(open(path.c_str(), O_RDWR | O_CLOEXEC));
    (void)map_page(writer.get(), PROT_READ | PROT_EXEC);
  }
  const int result = map_and_call(path);
  return result == kKnownCode ? allowed("mapped afterwards") : refused("mmap", -result, 0);
}

// Lock and log files have the digest of nothing, which many packages list.
Report writers_of_empty(bool later) {
  std::string text;
  if (diglim_is_there() && loader({"load", std::string(kBase) + "/lists/nothing"}, &text) != 0)
    return not_tried(text);
  const std::string path = scratch() + "/lock";
  (void)put(path, {}, 0644);
  const Fd reader(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  void* page = map_page(reader.get(), PROT_READ | PROT_EXEC, MAP_SHARED);
  if (later) {
    if (page != nullptr) (void)munmap(page, 4096);
    page = map_page(reader.get(), PROT_READ, MAP_SHARED);
    (void)mprotect(page, 4096, PROT_READ | PROT_EXEC);
  }
  const bool written = poke(path, 0, 1);
  const int error = errno;
  if (diglim_is_there()) (void)loader({"unload", "nothing"});
  return written ? allowed("still writable") : refused("open for writing", error, 0);
}
Report empty_mapped() {
  return writers_of_empty(false);
}
Report empty_protected() {
  return writers_of_empty(true);
}

Report changed_mode() {
  const std::string path = known_copy("page", false);
  const Fd reader(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  void* page = map_page(reader.get(), PROT_READ | PROT_EXEC, MAP_SHARED);
  if (page == nullptr) return not_tried("mmap", errno);
  return chmod(path.c_str(), 0700) == 0 ? allowed("chmod works") : refused("chmod", errno, 0);
}

constexpr Attack kAttacks[] = {
    {"mapped-window", kOff | kEnforce, kMapped, mapped_window, "written after the hook, before the mapping"},
    {"hashed-writer", kOff | kEnforce, "", writer_leaves, "a writer leaves while the content is hashed"},
    {"hashed-open", kOff | kEnforce, "", writer_comes_and_goes, "one comes and goes while it is hashed"},
    {"exec-huge", kAll, "cannot hash it", huge, "a program of 5 GiB, nearly all of it a hole"},
    {"mprotect-then-write", kAll, kMapped, made_executable_then_written, "made executable, then written"},
    {"mapped-reset", kAll | kHarmless, nullptr, mark_goes, "a linker maps what was executable before"},
    {"private-writer", kAll | kHarmless, nullptr, private_by_writer, "a private mapping by who may write"},
    {"empty-mapped", kAll | kHarmless, nullptr, empty_mapped, "an empty file mapped executable"},
    {"empty-mprotect", kAll | kHarmless, nullptr, empty_protected, "an empty file made executable"},
    {"mapped-chmod", kAll | kHarmless, nullptr, changed_mode, "chmod while mapped executable"},
};

}  // namespace

std::span<const Attack> window_attacks() {
  return kAttacks;
}

}  // namespace attacks
