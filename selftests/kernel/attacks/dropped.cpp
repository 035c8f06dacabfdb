// SPDX-License-Identifier: Apache-2.0
// Attacks by which what was hashed in memory is replaced by what lies on the disk, or by another file's
// blocks.
//
// Goal: other content runs on the verdict of before, though no descriptor could write.
// Expected: EPERM; or ETXTBSY, where the file is mapped executable. Needs the disk that the driver gives.
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "selftests/kernel/attacks/attack.h"
#include "selftests/kernel/attacks/hold_page.h"

namespace attacks {
namespace {

constexpr unsigned long kSwapBoot = _IO('f', 17);  // EXT4_IOC_SWAP_BOOT: exchange with inode 5

// The disk's file system, mounted. Unmounted when it ends, as far as that goes.
struct Disk {
  std::string folder = scratch();
  int error = 0;
  Disk() {
    if (mount("/dev/vda", folder.c_str(), "ext4", 0, nullptr) != 0) error = errno;
    (void)chmod(folder.c_str(), 0777);
  }
  ~Disk() { (void)umount2(folder.c_str(), MNT_DETACH); }
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;
};

// On the disk lies `bad`, in memory `good`, and it is not written back for some seconds.
bool put_dirty(const std::string& path, const std::vector<uint8_t>& bad, const std::vector<uint8_t>& good) {
  const Fd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0755));
  return fd && pwrite(fd.get(), bad.data(), bad.size(), 0) == static_cast<ssize_t>(bad.size()) &&
         fsync(fd.get()) == 0 &&
         pwrite(fd.get(), good.data(), good.size(), 0) == static_cast<ssize_t>(good.size());
}

// Makes the kernel drop the page that is mapped here. False with errno.
bool poison(void* page) {
  return madvise(page, 4096, MADV_HWPOISON) == 0;
}
bool poison_32(void* page) {
  long result = 219;  // madvise by the way of 32 bits, for an address below 4 GiB
  asm volatile("int $0x80"
               : "+a"(result)
               : "b"(page), "c"(4096L), "d"(static_cast<long>(MADV_HWPOISON))
               : "memory", "r8", "r9", "r10", "r11");
  errno = static_cast<int>(result) < 0 ? -static_cast<int>(result) : 0;
  return errno == 0;
}
bool poison_by_ring(void* page) {
  io_uring_sqe request = {};
  request.opcode = IORING_OP_MADVISE;
  request.addr = reinterpret_cast<uint64_t>(page);
  request.len = 4096;
  request.fadvise_advice = MADV_HWPOISON;
  const int result = request_by_ring(request);
  errno = result < 0 ? -result : 0;
  return result >= 0;
}
bool offline_by(const char* file, void* page) {
  const Fd map(open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC));
  uint64_t entry = 0;
  if (pread(map.get(), &entry, 8, static_cast<off_t>(reinterpret_cast<uintptr_t>(page) / 4096 * 8)) != 8)
    return false;
  char text[32];
  (void)snprintf(text, sizeof(text), "0x%llx", (entry & ((1ULL << 55) - 1)) * 4096ULL);
  return write_text(std::string("/sys/devices/system/memory/") + file, text);
}
bool offline_hard(void* page) {
  return offline_by("hard_offline_page", page);
}
bool offline_soft(void* page) {
  return offline_by("soft_offline_page", page);
}

using Drop = bool (*)(void*);

// Maps it to read, drops the page: in a child, which later kernels kill for it. False with errno.
bool drop_page(const std::string& path, Drop drop) {
  int channel[2];
  if (pipe2(channel, O_CLOEXEC) != 0) return false;
  const pid_t pid = fork();
  if (pid == 0) {
    const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    void* page = map_page(fd.get(), PROT_READ, MAP_SHARED | MAP_32BIT);
    if (page == nullptr || *static_cast<volatile uint8_t*>(page) == 0xff || !drop(page))
      (void)!write(channel[1], &errno, sizeof(errno));
    _exit(0);
  }
  (void)close(channel[1]);
  int error = 0;
  (void)!read(channel[0], &error, sizeof(error));
  (void)close(channel[0]);
  (void)waitpid(pid, nullptr, 0);
  errno = error;
  return error == 0;
}

Report drop_program(Drop drop) {
  const Disk disk;
  if (disk.error != 0) return not_tried("mount /dev/vda", disk.error);
  const std::string path = disk.folder + "/elf";
  if (!put_dirty(path, tiny_elf(kUnknownCode), get(known("elf")))) return not_tried("write", errno);
  if (const int result = run({path}); result != kKnownCode) return judge_run(result, EPERM);
  if (!drop_page(path, drop)) return refused("drop the page", errno, EPERM);
  const Report report = judge_run(run({path}), EPERM);
  (void)unlink(path.c_str());
  return report;
}
Report drop_mapped(Drop drop) {
  const Disk disk;
  if (disk.error != 0) return not_tried("mount /dev/vda", disk.error);
  const std::string path = disk.folder + "/page";
  if (!put_dirty(path, code_page(kUnknownCode), get(known("page")))) return not_tried("write", errno);
  const Fd reader(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  void* code = map_page(reader.get(), PROT_READ | PROT_EXEC);
  if (code == nullptr) return refused("mmap", errno, EPERM);
  if (call(code) != kKnownCode) return not_tried("the known content answers something else");
  if (!drop_page(path, drop)) return refused("drop the page", errno, EPERM);
  const Report report = judge_map(call(code), EPERM);
  (void)munmap(code, 4096);
  (void)unlink(path.c_str());
  return report;
}

Report poison_program() {
  return drop_program(poison);
}
Report poison_program_32() {
  return drop_program(poison_32);
}
Report poison_program_by_ring() {
  return drop_program(poison_by_ring);
}
Report poison_mapped() {
  return drop_mapped(poison);
}
Report hard_program() {
  return drop_program(offline_hard);
}
// Moves a dirty page: nothing is lost.
Report soft_program() {
  const Disk disk;
  if (disk.error != 0) return not_tried("mount /dev/vda", disk.error);
  const std::string path = disk.folder + "/soft";
  if (!put_dirty(path, tiny_elf(kUnknownCode), get(known("elf")))) return not_tried("write", errno);
  if (run({path}) != kKnownCode) return not_tried("the known content does not run");
  if (!drop_page(path, offline_soft)) return not_tried("soft_offline_page", errno);
  const int result = run({path});
  (void)unlink(path.c_str());
  return result == kKnownCode ? allowed("it runs on another page") : refused("exec", -result, 0);
}

// Exchanges the content of the file with that of inode 5. A descriptor that cannot write is refused (EBADF).
bool swap_with_boot(const std::string& path) {
  const Fd fd(open(path.c_str(), O_RDWR | O_CLOEXEC));
  return fd && ioctl(fd.get(), kSwapBoot) == 0;
}
// Inode 5 has `bad`, as long as `good`.
bool fill_boot(const Disk& disk, const std::vector<uint8_t>& bad) {
  const std::string path = disk.folder + "/boot";
  (void)unlink(path.c_str());
  return put(path, bad) && swap_with_boot(path);
}

Report swap_program() {
  const Disk disk;
  if (disk.error != 0) return not_tried("mount /dev/vda", disk.error);
  timeval start = {};
  (void)gettimeofday(&start, nullptr);
  const timeval past = {start.tv_sec - 1000, 0};
  int result = -EPERM;
  const char* step = nullptr;
  int error = 0;
  for (int i = 0; i < 30 && result != kUnknownCode && step == nullptr; ++i) {
    const std::string path = disk.folder + "/swap" + std::to_string(i);
    if (!fill_boot(disk, tiny_elf(kUnknownCode))) step = "fill inode 5";
    (void)settimeofday(&past, nullptr);
    if (step == nullptr && !put(path, get(known("elf")))) step = "write";
    if (step == nullptr && run({path}) != kKnownCode) step = "the known content does not run";
    (void)settimeofday(&past, nullptr);
    if (step == nullptr && !swap_with_boot(path)) step = "EXT4_IOC_SWAP_BOOT";
    error = errno;
    result = run({path});
  }
  (void)settimeofday(&start, nullptr);
  return step != nullptr ? refused(step, error, EPERM) : judge_run(result, EPERM);
}
Report swap_mapped() {
  const Disk disk;
  if (disk.error != 0) return not_tried("mount /dev/vda", disk.error);
  const std::string path = disk.folder + "/library";
  if (!fill_boot(disk, code_page(kUnknownCode))) return refused("fill inode 5", errno, EPERM);
  if (!put(path, get(known("page")))) return not_tried("write", errno);
  const Fd reader(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  void* code = map_page(reader.get(), PROT_READ | PROT_EXEC);
  if (code == nullptr) return refused("mmap", errno, EPERM);
  if (call(code) != kKnownCode) return not_tried("the known content answers something else");
  if (!swap_with_boot(path)) return refused("EXT4_IOC_SWAP_BOOT", errno, errno == EPERM ? EPERM : ETXTBSY);
  const Report report = judge_map(call(code), EPERM);
  (void)munmap(code, 4096);
  return report;
}

// A held page on a disk: the kernel is asked to forget the file, and with it whatever is noted of it.
Report hold_on_disk() {
  const Disk disk;
  if (disk.error != 0) return not_tried("mount /dev/vda", disk.error);
  const std::string path = disk.folder + "/held";
  if (!put(path, get(known("elf")))) return not_tried("write", errno);
  Land land;
  {
    const Fd writer(open(path.c_str(), O_RDWR | O_CLOEXEC));
    void* page = map_page(writer.get(), PROT_READ | PROT_WRITE, MAP_SHARED);
    if (page == nullptr) return not_tried("mmap", errno);
    land = hold_by_writev(page);
    (void)munmap(page, 4096);
  }
  if (!land) return not_tried("hold the page", errno);
  sync();
  for (int i = 0; i < 3; ++i) (void)write_text("/proc/sys/vm/drop_caches", "3");
  if (const int result = run({path}); result != kKnownCode) return judge_run(result, EPERM);
  if (!land(tiny_elf(kUnknownCode))) return not_tried("write into the held page", errno);
  const int result = run({path});
  return result == kKnownCode ? harmless("the held page is no longer the file's") : judge_run(result, EPERM);
}

constexpr Attack kAttacks[] = {
    {"pinned-disk", kAll, "", hold_on_disk, "a held page of a file on a disk, the caches dropped"},
    {"dropped-poison", kAll, "", poison_program, "a dirty page dropped by madvise(MADV_HWPOISON)"},
    {"dropped-poison-mapped", kAll, "", poison_mapped, "the same of a library, which stays mapped"},
    {"dropped-poison-32", kAll, "", poison_program_32, "the same by a system call of 32 bits"},
    {"dropped-poison-ring", kAll, "", poison_program_by_ring, "the same by io_uring"},
    {"dropped-offline", kAll, "", hard_program, "a dirty page dropped by hard_offline_page"},
    {"moved-offline", kAll | kHarmless, nullptr, soft_program, "a dirty page moved by soft_offline_page"},
    {"swapped-boot", kAll, "", swap_program,
     "content exchanged by EXT4_IOC_SWAP_BOOT, the clock turned back"},
    {"swapped-boot-mapped", kAll, "", swap_mapped, "the same of a library, which stays mapped"},
};

}  // namespace

std::span<const Attack> dropped_attacks() {
  return kAttacks;
}

}  // namespace attacks
