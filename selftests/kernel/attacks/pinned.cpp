// SPDX-License-Identifier: Apache-2.0
// Attacks with pages that somebody still holds when nothing shows a writer any more: no descriptor, no
// mapping.
//
// Goal: what was verified runs with other content, or changes while it is mapped.
// Expected: who could write by a mapping leaves a mark on the file, so that it is denied until it is a copy.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "selftests/kernel/attacks/attack.h"
#include "selftests/kernel/attacks/hold_page.h"

namespace attacks {
namespace {

constexpr char kShared[] = "was mapped shared and writable";
using Hold = Land (*)(void*);

Report other(int result) {
  return {Outcome::kOtherReason, "the known content answers " + std::to_string(result)};
}

// The page is held: verify, then write.
Report use_program(const std::string& path, const Land& land) {
  if (const int result = run({path}); result != kKnownCode)
    return result < 0 ? judge_run(result, EPERM) : other(result);
  if (!land(tiny_elf(kUnknownCode))) return not_tried("write into the held page", errno);
  return judge_run(run({path}), EPERM);
}

// The same with a mapping that was verified and stays.
Report use_mapping(const std::string& path, const Land& land) {
  const Fd reader(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  void* code = map_page(reader.get(), PROT_READ | PROT_EXEC);
  if (code == nullptr) return refused("mmap", errno, EPERM);
  if (const int result = call(code); result != kKnownCode) return other(result);
  if (!land(code_page(kUnknownCode))) return not_tried("write into the held page", errno);
  return judge_map(call(code), EPERM);
}

// Holds a page of what `writable` names; null with errno.
Land hold_page_of(const std::string& writable, Hold hold, bool protect_later = false) {
  const Fd writer(open(writable.c_str(), O_RDWR | O_CLOEXEC));
  void* page = map_page(writer.get(), protect_later ? PROT_READ : PROT_READ | PROT_WRITE, MAP_SHARED);
  if (page == nullptr || (protect_later && mprotect(page, 4096, PROT_READ | PROT_WRITE) != 0)) return {};
  Land land = hold(page);
  const int error = errno;
  (void)munmap(page, 4096);
  errno = error;
  return land;
}

Report program_by(Hold hold, bool protect_later = false) {
  const std::string path = known_copy("elf", false);
  const Land land = hold_page_of(path, hold, protect_later);
  return land ? use_program(path, land) : not_tried("hold the page", errno);
}
Report mapping_by(Hold hold) {
  const std::string path = known_copy("page", false);
  const Land land = hold_page_of(path, hold);
  return land ? use_mapping(path, land) : not_tried("hold the page", errno);
}

Report ring() {
  return program_by(hold_by_ring);
}
Report ring_mapped() {
  return mapping_by(hold_by_ring);
}
Report ring_protect() {
  return program_by(hold_by_ring, true);
}
Report writev_waits() {
  return program_by(hold_by_writev);
}
Report writev_mapped() {
  return mapping_by(hold_by_writev);
}
bool may_mount() {
  return geteuid() == 0 || enter_user_namespace();
}
Report direct_read() {
  return may_mount() ? program_by(hold_by_direct) : not_tried("user namespace", errno);
}
Report direct_mapped() {
  return may_mount() ? mapping_by(hold_by_direct) : not_tried("user namespace", errno);
}

// Who holds the page never mapped anything: it was there when it began.
Report inherited() {
  const std::string path = known_copy("elf", false);
  Fd writer(open(path.c_str(), O_RDWR | O_CLOEXEC));
  void* page = map_page(writer.get(), PROT_READ | PROT_WRITE, MAP_SHARED);
  int channel[2];
  if (page == nullptr || pipe2(channel, O_CLOEXEC) != 0) return not_tried("mmap", errno);
  const pid_t pid = fork();
  if (pid == 0) {
    char byte = 0;
    writer = Fd();
    (void)close(channel[1]);
    (void)!read(channel[0], &byte, 1);  // until the parent has given up both
    const Land land = hold_by_ring(page);
    (void)munmap(page, 4096);
    _exit(static_cast<int>((land ? use_program(path, land) : not_tried("")).outcome));
  }
  writer = Fd();
  (void)munmap(page, 4096);
  (void)close(channel[1]);
  int status = 0;
  (void)waitpid(pid, &status, 0);
  if (!WIFEXITED(status)) return not_tried("the child died");
  return {static_cast<Outcome>(WEXITSTATUS(status)), "by a child that inherited the mapping"};
}

// The mapping is one of the overlay's file, the page one of the file below.
Report overlay_program() {
  const Stacked stacked = stack_over("elf");
  if (stacked.direct.empty()) return not_tried("mount overlay", errno);
  const Land land = hold_page_of(stacked.through, hold_by_ring);
  return land ? use_program(stacked.direct, land) : not_tried("hold the page", errno);
}
Report overlay_mapped() {
  const Stacked stacked = stack_over("page");
  if (stacked.direct.empty()) return not_tried("mount overlay", errno);
  const Land land = hold_page_of(stacked.through, hold_by_ring);
  return land ? use_mapping(stacked.direct, land) : not_tried("hold the page", errno);
}

// As lld, mold and Go's linker write their output. Null path: not to be done, errno says why.
std::string linked(const char* name) {
  const std::string path = scratch() + "/" + name;
  const auto content = get(known(name));
  const Fd writer(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0755));
  if (!writer || ftruncate(writer.get(), static_cast<off_t>(content.size())) != 0) return {};
  void* page = map_page(writer.get(), PROT_READ | PROT_WRITE, MAP_SHARED);
  if (page == nullptr) return {};
  memcpy(page, content.data(), content.size());
  (void)munmap(page, 4096);
  return path;
}

Report linked_program() {
  const std::string path = linked("elf");
  if (path.empty()) return not_tried("write by a mapping", errno);
  const int result = run({path});
  return result == kKnownCode ? allowed("it ran, and its writer may hold its pages")
                              : judge_run(result, EPERM);
}
Report linked_library() {
  const std::string path = linked("page");
  if (path.empty()) return not_tried("write by a mapping", errno);
  const int result = map_and_call(path);
  return result == kKnownCode ? allowed("it was mapped, and its writer may hold its pages")
                              : judge_map(result, EPERM);
}
Report linked_and_copied() {
  const std::string path = linked("elf");
  if (path.empty()) return not_tried("write by a mapping", errno);
  if (run({"/bin/busybox", "cp", path, path + "-cp"}) != 0) return not_tried("cp");
  if (const int result = run({path + "-cp"}); result != kKnownCode) return refused("cp", -result, 0);
  {  // as cp and install of coreutils do it
    const Fd from(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    const Fd to(open((path + "-range").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0755));
    if (copy_file_range(from.get(), nullptr, to.get(), nullptr, 4096, 0) <= 0)
      return not_tried("copy_file_range", errno);
  }
  if (const int result = run({path + "-range"}); result != kKnownCode)
    return refused("copy_file_range", -result, 0);
  return allowed("copies of it run");
}

constexpr Attack kAttacks[] = {
    {"pinned-ring", kAll, kShared, ring, "a page that is a fixed buffer of io_uring"},
    {"pinned-ring-user", kAll | kUser, kShared, ring, "the same by uid 1000"},
    {"pinned-ring-mapped", kAll, kShared, ring_mapped, "the same of a library, which stays mapped"},
    {"pinned-ring-mapped-user", kAll | kUser, kShared, ring_mapped, "the same by uid 1000"},
    {"pinned-ring-protect", kAll | kUser, kShared, ring_protect, "a mapping that is made writable later"},
    {"pinned-ring-fork", kAll | kUser, kShared, inherited, "a mapping that was inherited"},
    {"pinned-writev", kAll, kShared, writev_waits, "a page into which process_vm_writev is about to write"},
    {"pinned-writev-mapped", kAll, kShared, writev_mapped, "the same of a library, which stays mapped"},
    {"pinned-direct", kAll, kShared, direct_read, "a page into which a slow read(2) goes directly"},
    {"pinned-direct-user", kAll | kUser, kShared, direct_read, "the same by uid 1000"},
    {"pinned-direct-mapped-user", kAll | kUser, kShared, direct_mapped, "of a library, which stays mapped"},
    {"pinned-overlay", kAll, "", overlay_program, "a page mapped through an overlay"},
    {"pinned-overlay-user", kAll | kUser, "", overlay_program, "the same by uid 1000"},
    {"pinned-overlay-mapped-user", kAll | kUser, "", overlay_mapped, "of a library, which stays mapped"},
    {"shared-writable", kAll, kShared, linked_program, "a program that its linker wrote by a mapping"},
    {"shared-writable-user", kAll | kUser, kShared, linked_program, "the same by uid 1000"},
    {"shared-writable-library", kAll, kShared, linked_library,
     "a library that its linker wrote by a mapping"},
    {"shared-writable-copied", kAll | kHarmless, nullptr, linked_and_copied, "copies of such a program"},
    {"shared-writable-copied-user", kAll | kHarmless | kUser, nullptr, linked_and_copied,
     "the same by uid 1000"},
};

}  // namespace

std::span<const Attack> pinned_attacks() {
  return kAttacks;
}

}  // namespace attacks
