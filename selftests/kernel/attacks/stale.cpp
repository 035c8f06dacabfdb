// SPDX-License-Identifier: Apache-2.0
// Attacks on what DIGLIM remembers: a file is verified, then its content changes.
//
// Goal: let the changed content run on the old verdict, or change code while it is mapped.
// Expected: EPERM for what changed, ETXTBSY for writing to mapped code; what is not code stays writable.
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "selftests/kernel/attacks/attack.h"

namespace attacks {
namespace {

constexpr char kUnknown[] = "not on any digest list";
constexpr char kWriter[] = "open for writing";
constexpr char kPinned[] = "was mapped shared and writable";
constexpr char kMapped[] = "it is mapped executable";
constexpr uint8_t kBad = kUnknownCode;

bool poke(const std::string& path, size_t at, uint8_t value) {
  const Fd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return fd && pwrite(fd.get(), &value, 1, static_cast<off_t>(at)) == 1;
}

Report write_in_place() {
  const std::string path = known_copy("elf");
  if (!poke(path, kElfCodeAt, kBad)) return not_tried("write", errno);
  return judge_run(run({path}), EPERM);
}

Report by_hard_link() {
  const std::string path = known_copy("elf");
  if (link(path.c_str(), (path + "2").c_str()) != 0) return not_tried("link", errno);
  if (!poke(path + "2", kElfCodeAt, kBad)) return not_tried("write", errno);
  return judge_run(run({path}), EPERM);
}

Report by_rename() {
  const std::string path = known_copy("elf");
  (void)put(path + "2", tiny_elf(kBad));
  if (rename((path + "2").c_str(), path.c_str()) != 0) return not_tried("rename", errno);
  return judge_run(run({path}), EPERM);
}

// What is left after the cut is another program: the changed one has to be refused however it ends.
Report judge_cut(const std::string& path) {
  const int result = run({path});
  return result == -EPERM ? refused("exec", EPERM, EPERM)
                          : allowed("it was executed: " + std::to_string(result));
}

Report by_truncate() {
  const std::string path = known_copy("elf");
  if (truncate(path.c_str(), 0x84 - 1) != 0) return not_tried("truncate", errno);
  return judge_cut(path);
}

Report by_truncate_and_back() {
  const std::string path = known_copy("elf");
  if (truncate(path.c_str(), 0x84 - 2) != 0 || truncate(path.c_str(), 0x84) != 0)
    return not_tried("truncate", errno);
  return judge_cut(path);
}

Report by_ftruncate() {
  const std::string path = known_copy("elf");
  {
    const Fd fd(open(path.c_str(), O_WRONLY));
    if (ftruncate(fd.get(), 0x84 - 2) != 0 || ftruncate(fd.get(), 0x84) != 0)
      return not_tried("ftruncate", errno);
  }
  return judge_cut(path);
}

Report by_open_truncate() {
  const std::string path = known_copy("script");
  { const Fd fd(open(path.c_str(), O_RDONLY | O_TRUNC)); }
  struct stat info = {};
  if (stat(path.c_str(), &info) != 0 || info.st_size != 0) return not_tried("O_RDONLY|O_TRUNC does not cut");
  return judge_cut(path);
}

Report by_hole() {
  const std::string path = known_copy("elf");
  {
    const Fd fd(open(path.c_str(), O_WRONLY));
    if (fallocate(fd.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0x80, 4) != 0) {
      return not_tried("fallocate", errno);
    }
  }
  return judge_cut(path);
}

// The clock goes back to where it was, so the file has its old size and may have its old times too.
Report with_forged_clock() {
  const std::string path = known_copy("elf", false);
  timeval start = {};
  (void)gettimeofday(&start, nullptr);
  const timeval past = {start.tv_sec - 1000, 0};
  int result = -EPERM;
  for (int i = 0; i < 30 && result != kUnknownCode; ++i) {
    (void)settimeofday(&past, nullptr);
    if (!poke(path, kElfCodeAt, kKnownCode)) return not_tried("write", errno);
    if (run({path}) != kKnownCode) return not_tried("the known content does not run");
    (void)settimeofday(&past, nullptr);
    if (!poke(path, kElfCodeAt, kBad)) return not_tried("write", errno);
    result = run({path});
  }
  (void)settimeofday(&start, nullptr);
  return judge_run(result, EPERM);
}

// Whoever already had it open can write at any time. exec is the kernel's own affair then (ETXTBSY), mmap is
// ours.
Report by_open_descriptor() {
  const std::string path = known_copy("page", false);
  (void)map_and_call(path);
  const Fd writer(open(path.c_str(), O_RDWR));
  const Fd reader(open(path.c_str(), O_RDONLY));
  void* page = map_page(reader.get(), PROT_READ | PROT_EXEC, MAP_SHARED);
  if (page == nullptr) return refused("mmap", errno, EPERM);
  if (pwrite(writer.get(), &kBad, 1, kPageCodeAt) != 1) return not_tried("write", errno);
  return judge_map(call(page), EPERM);
}

Report by_shared_mapping() {
  const std::string path = known_copy("page", false);
  (void)map_and_call(path);
  Fd writer(open(path.c_str(), O_RDWR));
  auto* shared = static_cast<uint8_t*>(map_page(writer.get(), PROT_READ | PROT_WRITE, MAP_SHARED));
  writer = Fd();  // the mapping alone can write now
  if (shared == nullptr) return not_tried("mmap", errno);
  const Fd reader(open(path.c_str(), O_RDONLY));
  void* page = map_page(reader.get(), PROT_READ | PROT_EXEC, MAP_SHARED);
  if (page == nullptr) return refused("mmap", errno, EPERM);
  shared[kPageCodeAt] = kBad;
  return judge_map(call(page), EPERM);
}

// A mapping that may become executable, while a writer comes and goes.
Report by_mprotect() {
  const std::string path = known_copy("page", false);
  (void)map_and_call(path);
  const Fd reader(open(path.c_str(), O_RDONLY));
  void* page = map_page(reader.get(), PROT_READ, MAP_SHARED);
  if (!poke(path, kPageCodeAt, kBad)) return refused("open for writing", errno, ETXTBSY);
  if (mprotect(page, 4096, PROT_READ | PROT_EXEC) != 0) return refused("mprotect", errno, EPERM);
  return judge_map(call(page), EPERM);
}

struct Mapped {
  std::string path;
  Fd reader;
  void* page = nullptr;
};

Mapped mapped_page() {
  Mapped mapped;
  mapped.path = known_copy("page", false);
  mapped.reader = Fd(open(mapped.path.c_str(), O_RDONLY));
  mapped.page = map_page(mapped.reader.get(), PROT_READ | PROT_EXEC, MAP_SHARED);
  return mapped;
}

Report mapped_write() {
  const Mapped mapped = mapped_page();
  if (mapped.page == nullptr) return not_tried("mmap", errno);
  if (!poke(mapped.path, kPageCodeAt, kBad)) return refused("open for writing", errno, ETXTBSY);
  return judge_map(call(mapped.page), ETXTBSY);
}

// The descriptor is closed and the file has another name: the mapping is what counts.
Report mapped_write_by_proc() {
  Mapped mapped = mapped_page();
  if (mapped.page == nullptr) return not_tried("mmap", errno);
  const std::string path = "/proc/self/fd/" + std::to_string(mapped.reader.get());
  if (!poke(path, kPageCodeAt, kBad)) return refused("open for writing", errno, ETXTBSY);
  return judge_map(call(mapped.page), ETXTBSY);
}

Report mapped_truncate() {
  const Mapped mapped = mapped_page();
  if (mapped.page == nullptr) return not_tried("mmap", errno);
  if (truncate(mapped.path.c_str(), 0) != 0) return refused("truncate", errno, ETXTBSY);
  return allowed("code was cut off while mapped");
}

Report mapped_open_truncate() {
  const Mapped mapped = mapped_page();
  if (mapped.page == nullptr) return not_tried("mmap", errno);
  const Fd fd(open(mapped.path.c_str(), O_RDONLY | O_TRUNC));
  const int error = errno;
  struct stat info = {};
  if (stat(mapped.path.c_str(), &info) == 0 && info.st_size == 0)
    return allowed("code was cut off while mapped");
  return fd ? not_tried("O_RDONLY|O_TRUNC does not cut") : refused("open", error, ETXTBSY);
}

Report mapped_released() {
  Mapped mapped = mapped_page();
  if (mapped.page == nullptr) return not_tried("mmap", errno);
  (void)munmap(mapped.page, 4096);
  if (!poke(mapped.path, kPageCodeAt, kBad)) return refused("open for writing", errno, 0);
  return allowed("writable again after munmap");
}

// Anybody who can read a data file must not be able to lock its writers out.
Report data_stays_writable() {
  const std::string path = scratch() + "/data";
  (void)put(path, code_page(kUnknownCode), 0644);
  const Fd reader(open(path.c_str(), O_RDONLY));
  void* data = map_page(reader.get(), PROT_READ, MAP_SHARED);
  void* page = map_page(reader.get(), PROT_READ | PROT_EXEC, MAP_SHARED);
  if (page != nullptr) (void)munmap(page, 4096);
  (void)mprotect(data, 4096, PROT_READ | PROT_EXEC);
  (void)mprotect(data, 4096, PROT_READ);
  if (!poke(path, 0, 1)) return refused("open for writing", errno, 0);
  return allowed("still writable");
}

// remap_file_pages() asks the hook for mappings, but is not the call that ends one. It works on shared
// mappings of what is open for writing, so of all that may be executable only on a sealed memfd.
Report remap_leaves_nothing() {
  const auto bytes = get(known("page"));
  const Fd fd(memfd_create("victim", MFD_ALLOW_SEALING));
  if (write(fd.get(), bytes.data(), bytes.size()) != 4096) return not_tried("memfd_create", errno);
  if (fcntl(fd.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW) != 0)
    return not_tried("seal", errno);
  void* page = map_page(fd.get(), PROT_READ | PROT_EXEC, MAP_SHARED);
  if (page == nullptr) return refused("mmap", errno, 0);
  for (int i = 0; i < 5; ++i) {
    if (syscall(SYS_remap_file_pages, page, 4096, 0, 0, 0) != 0) return not_tried("remap_file_pages", errno);
  }
  (void)munmap(page, 4096);
  const Fd again(open(("/proc/self/fd/" + std::to_string(fd.get())).c_str(), O_RDWR));
  return again ? allowed("can be opened for writing after munmap") : refused("open for writing", errno, 0);
}

// IMA remembers the digest of what one of its rules collected, and hands it out without asking whether the
// file changed since; truncate(2) does not even tell IMA. Whoever can write an IMA policy could so keep an
// old digest alive.
Report by_ima_digest() {
  {
    const Fd policy(open("/sys/kernel/security/ima/policy", O_WRONLY));
    if (!policy) return refused("open the IMA policy", errno, EPERM);
    constexpr char kRule[] = "measure func=FILE_CHECK mask=MAY_READ\n";
    if (write(policy.get(), kRule, sizeof(kRule) - 1) < 0) return not_tried("write the IMA policy", errno);
  }  // it counts from the moment its file is closed
  const std::string path = scratch() + "/script";
  const std::string text = "#!/bin/busybox sh\nexit 42\n";
  (void)put(path, {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  (void)get(path);  // collected here
  if (truncate(path.c_str(), static_cast<off_t>(text.size() - 2)) != 0) return not_tried("truncate", errno);
  const int result = run({path});
  if (result == 4) return allowed("a cut script ran on the digest that IMA remembers");
  return refused("exec", result < 0 ? -result : EIO, EPERM);
}

constexpr Attack kAttacks[] = {
    {"stale-ima", kOff | kEnforce | kLast, "load an IMA policy", by_ima_digest,
     "a digest that IMA remembers"},
    {"stale-write", kAll, kUnknown, write_in_place, "verified, then written in place"},
    {"stale-link", kAll, kUnknown, by_hard_link, "verified, then written by another name"},
    {"stale-rename", kAll, kUnknown, by_rename, "verified, then replaced by rename"},
    {"stale-truncate", kAll, kUnknown, by_truncate, "verified, then cut by truncate(2)"},
    {"stale-truncate-back", kAll, kUnknown, by_truncate_and_back, "cut and grown again by truncate(2)"},
    {"stale-ftruncate", kAll, kUnknown, by_ftruncate, "cut and grown again by ftruncate"},
    {"stale-open-truncate", kAll, kUnknown, by_open_truncate, "cut by O_RDONLY|O_TRUNC"},
    {"stale-hole", kAll, kUnknown, by_hole, "verified, then a hole punched"},
    {"stale-clock", kAll, kUnknown, with_forged_clock, "written while the clock is turned back"},
    {"stale-open-fd", kAll, kWriter, by_open_descriptor, "mapped while somebody can write"},
    {"stale-shared-map", kAll, kPinned, by_shared_mapping, "mapped while a shared mapping can write"},
    {"stale-mprotect", kAll, nullptr, by_mprotect, "mapped, written, then made executable"},
    {"mapped-write", kAll, kMapped, mapped_write, "written while mapped executable"},
    {"mapped-write-proc", kAll, kMapped, mapped_write_by_proc, "the same by /proc/self/fd"},
    {"mapped-truncate", kAll, kMapped, mapped_truncate, "truncate(2) while mapped executable"},
    {"mapped-open-truncate", kAll, kMapped, mapped_open_truncate, "O_RDONLY|O_TRUNC while mapped executable"},
    {"mapped-released", kAll | kHarmless, nullptr, mapped_released, "written after munmap"},
    {"data-stays-writable", kAll | kHarmless, nullptr, data_stays_writable,
     "writers of data are not locked out"},
    {"remap-leaves-nothing", kAll | kHarmless, nullptr, remap_leaves_nothing,
     "remap_file_pages locks nobody out"},
};

}  // namespace

std::span<const Attack> stale_attacks() {
  return kAttacks;
}

}  // namespace attacks
