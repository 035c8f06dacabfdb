// SPDX-License-Identifier: Apache-2.0
// Attacks with IMA's memory: it collects the digest of a file and hands it out again. Some need a machine
// where it does so for every program (measure=on, without labels), some one that booted with ima_policy=tcb.
//
// Goal: let changed content run on the digest that IMA collected of the known content.
// Expected: EPERM for what changed; what was only read, or written anew, runs.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <thread>

#include "selftests/kernel/attacks/attack.h"

namespace attacks {
namespace {

// A known file that IMA collected: by a policy for files that root reads, or for programs.
std::string collected_copy(const char* name, bool run_it) {
  const std::string path = known_copy(name, run_it);
  (void)get(path);
  return path;
}

// truncate(2) opens nothing, so IMA does not hear of it.
Report cut_by_path() {
  const std::string path = collected_copy("script", true);
  struct stat info = {};
  if (stat(path.c_str(), &info) != 0 || truncate(path.c_str(), info.st_size - 2) != 0)
    return not_tried("truncate", errno);
  const int result = run({path});
  return result == -EPERM ? refused("exec", EPERM, EPERM)
                          : allowed("a cut script was executed: " + std::to_string(result));
}

// IMA forgets what it collected when the last writer closes. While somebody is inside truncate(2), which
// counts as a writer and closes nothing, there is no last one.
Report close_beside_another() {
  for (int i = 0; i < 100; ++i) {
    const std::string path = collected_copy("elf", true);
    struct stat info = {};
    if (stat(path.c_str(), &info) != 0) return not_tried("stat", errno);
    std::atomic<bool> done = false;
    std::thread other([&] {
      while (!done && truncate(path.c_str(), info.st_size) == 0) {
      }
    });
    Fd writer(open(path.c_str(), O_WRONLY | O_CLOEXEC));
    const uint8_t code = kUnknownCode;
    const bool written = pwrite(writer.get(), &code, 1, kElfCodeAt) == 1;
    writer = Fd();
    done = true;
    other.join();
    if (!written) return not_tried("write", errno);
    if (const int result = run({path}); result != -EPERM) return judge_run(result, EPERM);
  }
  return refused("exec", EPERM, EPERM);
}

Report written_anew() {
  const std::string path = collected_copy("elf", false);
  (void)put(path, tiny_elf(kUnknownCode));
  (void)get(path);
  (void)put(path, get(known("elf")));
  (void)get(path);  // as the shell does with a script, and ld.so with a library, before we are asked
  const int result = run({path});
  return result == kKnownCode ? allowed("runs") : refused("exec", result < 0 ? -result : EIO, 0);
}

// Opened for write, and nothing written: IMA keeps what it collected.
Report only_opened() {
  const std::string path = collected_copy("elf", false);
  { const Fd fd(open(path.c_str(), O_RDWR | O_CLOEXEC)); }
  const int result = run({path});
  return result == kKnownCode ? allowed("runs") : refused("exec", result < 0 ? -result : EIO, 0);
}

constexpr Attack kAttacks[] = {
    {"ima-truncate", kAll | kMeasured, "", cut_by_path, "collected by IMA, then cut by truncate(2)"},
    {"ima-two-writers", kAll | kMeasured, "", close_beside_another,
     "collected by IMA, written, closed beside another writer"},
    {"ima-written-anew", kAll | kIma | kHarmless, nullptr, written_anew, "a known file is written and read"},
    {"ima-only-opened", kAll | kIma | kHarmless, nullptr, only_opened,
     "a known file is opened for write and left as it is"},
};

}  // namespace

std::span<const Attack> ima_attacks() {
  return kAttacks;
}

}  // namespace attacks
