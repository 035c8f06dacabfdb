// SPDX-License-Identifier: Apache-2.0
// Races: content that flips between known and unknown while others execute and map it. For two processors.
//
// Goal: run the unknown content in the instant between check and use.
// Expected: for seconds of trying, never once.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <functional>

#include "selftests/kernel/attacks/attack.h"
#include "selftests/kernel/attacks/pins.h"

namespace attacks {
namespace {

constexpr double kSeconds = 6;
constexpr double kMost_s = 120;  // of a machine that is so slow that too little happens in them

constexpr long kEnoughWrites = 100;

// What two processes count together.
struct Shared {
  volatile int stop;
  volatile int mapped;  // the page is mapped executable right now
  volatile long writes;
};

Shared* shared() {
  void* at = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return at == MAP_FAILED ? nullptr : static_cast<Shared*>(at);
}

// Flips one byte of the file as fast as it can.
pid_t start_flipper(const std::string& path, size_t at, Shared* common) {
  const pid_t pid = fork();
  if (pid != 0) return pid;
  uint8_t value = kUnknownCode;
  while (common->stop == 0) {
    const int fd = open(path.c_str(), O_WRONLY);
    if (fd < 0) continue;
    if (pwrite(fd, &value, 1, static_cast<off_t>(at)) == 1) common->writes = common->writes + 1;
    (void)close(fd);
    value = value == kUnknownCode ? kKnownCode : kUnknownCode;
    if (common->writes % 7 == 0) (void)usleep(2000);  // let one of the two last long enough to be hashed
  }
  _exit(0);
}

std::string count(const char* what, long good, long denied, const Shared* common) {
  char text[128];
  (void)snprintf(text, sizeof(text), "%s %ld times, refused %ld times, %ld writes", what, good, denied,
                 common->writes);
  return text;
}

void end(pid_t pid, Shared* common) {
  common->stop = 1;
  (void)kill(pid, SIGKILL);
  (void)waitpid(pid, nullptr, 0);
}

// What one turn of a race found.
enum class Turn { kKnown, kRefused, kUnknown };

// Takes turn after turn while another process flips the content of `path`.
Report race(const std::string& path, size_t flipped_byte, const char* verb,
            const std::function<Turn()>& take_turn) {
  Shared* common = shared();
  const pid_t flipper = start_flipper(path, flipped_byte, common);
  long good = 0;
  long denied = 0;
  bool bad = false;
  const bool is_guarded = diglim_is_there();
  const double begin = now();
  const auto goes_on = [&] {
    const bool is_enough = is_guarded && good > 0 && common->writes >= kEnoughWrites;
    return now() < begin + (is_enough ? kSeconds : kMost_s);
  };
  while (!bad && goes_on()) {
    const Turn turn = take_turn();
    good += turn == Turn::kKnown ? 1 : 0;
    denied += turn == Turn::kRefused ? 1 : 0;
    bad = turn == Turn::kUnknown;
  }
  end(flipper, common);
  const std::string figures = count(verb, good, denied, common);
  if (bad) return allowed("the unknown content " + figures);
  if (good == 0 || common->writes < kEnoughWrites) return not_tried("too little happened: " + figures);
  return refused("known content " + figures, EPERM, EPERM);
}

Report race_exec() {
  const std::string path = known_copy("elf", false);
  return race(path, kElfCodeAt, "ran", [&] {
    const int result = run({path});
    return result == kKnownCode ? Turn::kKnown : result == kUnknownCode ? Turn::kUnknown : Turn::kRefused;
  });
}

// Reads a page that is mapped executable again and again: no writer may get through now. Unmaps it.
Turn watch(void* page, int times) {
  const auto* bytes = static_cast<const volatile uint8_t*>(page);
  bool bad = false;
  for (int i = 0; i < times && !bad; ++i) bad = bytes[kPageCodeAt] == kUnknownCode;
  (void)munmap(page, 4096);
  return bad ? Turn::kUnknown : Turn::kKnown;
}

Report race_mmap() {
  const std::string path = known_copy("page", false);
  return race(path, kPageCodeAt, "was mapped", [&] {
    const Fd fd(open(path.c_str(), O_RDONLY));
    void* page = map_page(fd.get(), PROT_READ | PROT_EXEC, MAP_SHARED);
    return page == nullptr ? Turn::kRefused : watch(page, 2000);
  });
}

Report race_mprotect() {
  const std::string path = known_copy("page", false);
  return race(path, kPageCodeAt, "became executable", [&] {
    const Fd fd(open(path.c_str(), O_RDONLY));
    void* warm = map_page(fd.get(), PROT_READ | PROT_EXEC, MAP_SHARED);  // a verdict for mprotect to find
    if (warm != nullptr) (void)munmap(warm, 4096);
    void* page = map_page(fd.get(), PROT_READ, MAP_SHARED);
    if (page == nullptr) return Turn::kRefused;
    if (mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0) return watch(page, 500);
    (void)munmap(page, 4096);
    return Turn::kRefused;
  });
}

// While a long hash is under way, the same program is asked again on the same processor: up to kernel 6.1 BPF
// programs were skipped then (fixed by "bpf: Remove prog->active check for bpf_lsm and bpf_iter"), which let
// everything pass.
Report race_busy() {
  pid_t busy[3];
  for (pid_t& pid : busy) {
    const std::string path = known_copy("big", false);
    pid = fork();
    if (pid != 0) continue;
    for (;;) {
      // Each opening for writing voids the verdict, so each run hashes all of it again.
      { const Fd fd(open(path.c_str(), O_WRONLY)); }
      (void)run({path});
    }
  }
  const std::string victim = scratch() + "/victim";
  (void)put(victim, tiny_elf(kUnknownCode));
  const std::string page = scratch() + "/page";
  (void)put(page, code_page(kUnknownCode));
  int ran = -EPERM;
  int mapped = -EPERM;
  long tries = 0;
  for (const double until = now() + kSeconds; now() < until && ran == -EPERM && mapped == -EPERM; ++tries) {
    ran = run({victim});
    mapped = map_and_call(page);
  }
  for (const pid_t pid : busy) {
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, nullptr, 0);
  }
  if (ran == kUnknownCode || mapped == kUnknownCode)
    return allowed("the unknown ran at try " + std::to_string(tries));
  return refused(std::to_string(tries) + " tries", ran == -EPERM ? -mapped : -ran, EPERM);
}

// Whoever splits a mapping takes it out of the file's tree for an instant: a writer must not find the file
// unmapped then.
Report race_split() {
  const std::string path = known_copy("page", false);
  Shared* common = shared();
  const pid_t pid = fork();
  if (pid == 0) {
    const Fd fd(open(path.c_str(), O_RDONLY));
    void* at = mmap(nullptr, 8192, PROT_READ | PROT_EXEC, MAP_SHARED, fd.get(), 0);
    common->mapped = at != MAP_FAILED ? 1 : 2;
    while (at != MAP_FAILED && common->stop == 0) {
      (void)madvise(static_cast<char*>(at) + 4096, 4096, MADV_DONTFORK);
      (void)madvise(static_cast<char*>(at) + 4096, 4096, MADV_DOFORK);
    }
    _exit(at != MAP_FAILED ? reinterpret_cast<int (*)()>(at)() : 1);
  }
  while (common->mapped == 0) (void)usleep(1000);
  long tries = 0;
  bool written = false;
  int error = 0;
  const uint8_t code = kUnknownCode;
  for (const double until = now() + kSeconds; now() < until && !written; ++tries) {
    const Fd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
    error = errno;
    written = fd && pwrite(fd.get(), &code, 1, kPageCodeAt) == 1;
  }
  common->stop = 1;
  int status = 0;
  (void)waitpid(pid, &status, 0);
  const std::string step = "open for writing, " + std::to_string(tries) + " times";
  return written ? judge_map(WEXITSTATUS(status), ETXTBSY) : refused(step, error, ETXTBSY);
}

// The other half: what is known always runs, however many run at once on fresh inodes.
Report crowd() {
  pid_t pids[12];
  for (pid_t& pid : pids) {
    pid = fork();
    if (pid != 0) continue;
    int bad = 0;
    for (int i = 0; i < 40 && bad == 0; ++i)
      bad = run({known(i % 2 == 0 ? "script" : "elf")}) == kKnownCode ? 0 : 1;
    for (int i = 0; i < 10 && bad == 0; ++i) bad = map_and_call(known("page")) == kKnownCode ? 0 : 2;
    _exit(bad);
  }
  const int errors = count_failed(pids);
  if (errors > 0)
    return {Outcome::kOtherReason, std::to_string(errors) + " of 12 found known content denied"};
  return allowed("all ran");
}

constexpr Attack kAttacks[] = {
    {"race-crowd", kAll | kHarmless, nullptr, crowd, "known programs, many at once"},
    {"race-exec", kOff | kEnforce, nullptr, race_exec, "content flips while it is executed"},
    {"race-mmap", kOff | kEnforce, nullptr, race_mmap, "content flips while it is mapped executable"},
    {"race-mprotect", kOff | kEnforce, nullptr, race_mprotect, "content flips while it is made executable"},
    {"race-split", kOff | kEnforce, nullptr, race_split, "written while its mapping is split"},
    {"race-busy", kOff | kEnforce, "not on any digest list", race_busy,
     "the unknown while the hooks are busy"},
};

}  // namespace

std::span<const Attack> race_attacks() {
  return kAttacks;
}

}  // namespace attacks
