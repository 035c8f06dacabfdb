// SPDX-License-Identifier: Apache-2.0
// Attacks through an overlay: what is cut there is cut in the file below, which no hook for paths is told of.
//
// Goal: a known program or library whose end was cut off runs, on the verdict from before.
// Expected: the cut is noticed at the inode: ETXTBSY while it is mapped executable, else hashed anew and
// unknown.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "selftests/kernel/attacks/attack.h"
#include "selftests/kernel/attacks/pins.h"

namespace attacks {
namespace {

constexpr char kUnknown[] = "not on any digest list";
constexpr char kMapped[] = "it is mapped executable";
constexpr off_t kWhole = kTailAt + 4;

bool cut_and_grow(const std::string& path) {
  return truncate(path.c_str(), kTailAt) == 0 && truncate(path.c_str(), kWhole) == 0;
}

// The clock goes back to where it was, so the cut leaves size and times as they were.
Report cut_under_clock() {
  const auto content = get(known("tail-elf"));
  const Stacked stacked = stack_over("tail-elf");
  if (stacked.direct.empty()) return not_tried("mount overlay", errno);
  timeval start = {};
  (void)gettimeofday(&start, nullptr);
  const timeval past = {start.tv_sec - 1000, 0};
  int result = -EPERM;
  const char* step = nullptr;
  for (int i = 0; i < 60 && result != kUnknownCode && step == nullptr; ++i) {
    (void)settimeofday(&past, nullptr);
    if (!put(stacked.direct, content)) step = "write";
    if (step == nullptr && run({stacked.direct}) != kKnownCode) step = "the known content does not run";
    (void)settimeofday(&past, nullptr);
    if (step == nullptr && !cut_and_grow(stacked.through)) step = "truncate";
    result = run({stacked.direct});
  }
  const int error = errno;
  (void)settimeofday(&start, nullptr);
  return step != nullptr ? not_tried(step, error) : judge_run(result, EPERM);
}

// Without the right to set the clock: verified and cut within one tick of it, sooner or later.
Report cut_within_tick() {
  const auto content = get(known("tail-page"));
  const Stacked stacked = stack_over("tail-page");
  if (stacked.direct.empty()) return not_tried("mount overlay", errno);
  int result = -EPERM;
  for (const double until = now() + 8; now() < until && result != kUnknownCode;) {
    {
      const Fd writer(open(stacked.direct.c_str(), O_WRONLY | O_CLOEXEC));
      if (pwrite(writer.get(), content.data() + kTailAt, 4, kTailAt) != 4) return not_tried("write", errno);
    }
    const Fd reader(open(stacked.direct.c_str(), O_RDONLY | O_CLOEXEC));
    void* page = map_page(reader.get(), PROT_READ | PROT_EXEC);  // verified
    if (page == nullptr) return refused("mmap of the known content", errno, 0);
    (void)munmap(page, 4096);
    if (!cut_and_grow(stacked.through)) return not_tried("truncate", errno);
    page = map_page(reader.get(), PROT_READ | PROT_EXEC);
    result = page != nullptr ? call(page) : -errno;
    if (page != nullptr) (void)munmap(page, 4096);
  }
  return judge_map(result, EPERM);
}

Report cut_while_mapped() {
  const Stacked stacked = stack_over("tail-page");
  if (stacked.direct.empty()) return not_tried("mount overlay", errno);
  const Fd reader(open(stacked.direct.c_str(), O_RDONLY | O_CLOEXEC));
  void* page = map_page(reader.get(), PROT_READ | PROT_EXEC);
  if (page == nullptr) return not_tried("mmap", errno);
  if (call(page) != kKnownCode) return not_tried("the known content answers something else");
  // The attacks before had thousands denied, of which the keeper passes over the rest; status waits for that.
  if (geteuid() == 0 && diglim_is_there()) (void)loader({"status"});
  (void)sleep(1);
  if (truncate(stacked.through.c_str(), kTailAt) != 0) return refused("truncate", errno, ETXTBSY);
  return judge_map(call(page), ETXTBSY);
}

constexpr Attack kAttacks[] = {
    {"stacked-cut-clock", kAll, kUnknown, cut_under_clock,
     "cut through an overlay, with the clock turned back"},
    {"stacked-cut", kAll, kUnknown, cut_within_tick, "cut through an overlay within one tick"},
    {"stacked-cut-user", kAll | kUser, kUnknown, cut_within_tick, "the same by uid 1000"},
    {"stacked-cut-mapped", kAll, kMapped, cut_while_mapped, "cut through an overlay while mapped executable"},
    {"stacked-cut-mapped-user", kAll | kUser, kMapped, cut_while_mapped, "the same by uid 1000"},
};

}  // namespace

std::span<const Attack> stacked_attacks() {
  return kAttacks;
}

}  // namespace attacks
