// SPDX-License-Identifier: Apache-2.0
// Attacks below a file system: what it lies on is a file or memory that root writes to as he likes.
//
// Goal: a known program is changed there, its pages are dropped, and the new content runs on the old verdict.
// Expected: nothing on such a file system is known. The file system is copied from the disk that the driver
// gives.
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "selftests/kernel/attacks/attack.h"

namespace attacks {
namespace {

constexpr size_t kExt4Size = 8 << 20;
constexpr size_t kBtrfsSize = 128 << 20;

// Part of the disk, as a file of its own; empty, with errno, without disk or when it is not such a file
// system.
std::string copy_of_disk(size_t from, size_t size, size_t magic_at, const char* magic) {
  const std::string path = scratch() + "/image";
  const Fd disk(open("/dev/vda", O_RDONLY | O_CLOEXEC));
  const Fd copy(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  char found[16] = {};
  if (!disk || !copy || pread(disk.get(), found, strlen(magic), static_cast<off_t>(from + magic_at)) < 0)
    return {};
  if (memcmp(found, magic, strlen(magic)) != 0) return errno = ENODEV, std::string();
  std::vector<uint8_t> part(1 << 20);
  const std::vector<uint8_t> zeros(part.size());
  for (size_t at = 0; at < size; at += part.size()) {
    if (pread(disk.get(), part.data(), part.size(), static_cast<off_t>(from + at)) !=
        static_cast<ssize_t>(part.size()))
      return {};
    if (part != zeros && pwrite(copy.get(), part.data(), part.size(), static_cast<off_t>(at)) < 0) return {};
  }
  return ftruncate(copy.get(), static_cast<off_t>(size)) == 0 ? path : std::string();
}
std::string ext4_image() {
  return copy_of_disk(0, kExt4Size, 0x438, "\x53\xef");
}

// A loop device on the file, as long as this lives.
struct Loop {
  Fd fd;
  std::string path;
  explicit Loop(const std::string& file) {
    const Fd control(open("/dev/loop-control", O_RDWR | O_CLOEXEC));
    const int number = ioctl(control.get(), LOOP_CTL_GET_FREE);
    const Fd backing(open(file.c_str(), O_RDWR | O_CLOEXEC));
    loop_config config = {};
    config.fd = static_cast<__u32>(backing.get());
    path = "/dev/loop" + std::to_string(number);
    fd = Fd(open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (number < 0 || !fd || ioctl(fd.get(), LOOP_CONFIGURE, &config) != 0) fd = Fd();
  }
  ~Loop() {
    if (fd) (void)ioctl(fd.get(), LOOP_CLR_FD);
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
};

constexpr size_t kBlock = 4096;

// Replaces every block that begins with `from`. False: there is none. A device is read and written itself,
// not the pages that were read of it before.
bool replace_below(const std::string& below, const std::vector<uint8_t>& from,
                   const std::vector<uint8_t>& to) {
  struct stat found_file = {};
  const bool device = stat(below.c_str(), &found_file) == 0 && S_ISBLK(found_file.st_mode);
  const Fd fd(open(below.c_str(), O_RDWR | O_CLOEXEC | (device ? O_DIRECT : 0)));
  alignas(kBlock) uint8_t block[kBlock];
  bool found = false;
  for (off_t at = 0; pread(fd.get(), block, kBlock, at) == static_cast<ssize_t>(kBlock); at += kBlock) {
    if (memcmp(block, from.data(), from.size()) != 0) continue;
    memcpy(block, to.data(), to.size());
    if (pwrite(fd.get(), block, kBlock, at) != static_cast<ssize_t>(kBlock)) return false;
    found = true;
  }
  return found && fsync(fd.get()) == 0;
}

// Drops the file's pages: its next reader reads what lies below. False: a page stays, which somebody holds.
bool drop_pages(const std::string& path) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  void* page = map_page(fd.get(), PROT_READ);
  unsigned char resident = 1;
  for (int i = 0; page != nullptr && i < 300 && (resident & 1) != 0; ++i) {
    if (i > 0) (void)usleep(30'000);
    sync();
    (void)posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);
    (void)write_text("/proc/sys/vm/drop_caches", "1");
    if (mincore(page, kBlock, &resident) != 0) break;
  }
  if (page != nullptr) (void)munmap(page, kBlock);
  return (resident & 1) == 0;
}

// `device` is a block device, `below` is what holds its content.
Report change_below(const std::string& device, const char* type, const char* options,
                    const std::string& below) {
  const std::string folder = scratch();
  if (mount(device.c_str(), folder.c_str(), type, 0, options) != 0)
    return not_tried("mount " + device, errno);
  const std::string path = folder + "/victim";
  Report report;
  if (!put(path, tail_elf(false))) {
    report = not_tried("write", errno);
  } else {
    sync();
    (void)write_text("/proc/sys/vm/drop_caches", "1");  // what a device remembers beside its file system
    const int first = run({path});
    if (first != kKnownCode) {
      report = judge_run(first, EPERM);
    } else if (!replace_below(below, tail_elf(false), tail_elf(true))) {
      report = not_tried("the block is not found below", ENODATA);
    } else if (!drop_pages(path)) {
      report = not_tried("the page is not dropped", EBUSY);
    } else {
      report = judge_run(run({path}), EPERM);
    }
  }
  (void)umount2(folder.c_str(), MNT_DETACH);
  return report;
}

Report on_loop() {
  const std::string image = ext4_image();
  if (image.empty()) return not_tried("no ext4 on the disk", errno);
  const Loop loop(image);
  return loop.fd ? change_below(loop.path, "ext4", nullptr, image) : not_tried("loop device", errno);
}

// Its device number is none of a block device.
Report on_btrfs() {
  const std::string image = copy_of_disk(kExt4Size, kBtrfsSize, 0x10040, "_BHRfS_M");
  if (image.empty()) return not_tried("no btrfs on the disk", errno);
  const Loop loop(image);
  return loop.fd ? change_below(loop.path, "btrfs", "nodatasum", image) : not_tried("loop device", errno);
}

Report on_zram() {
  const std::string image = ext4_image();
  if (image.empty()) return not_tried("no ext4 on the disk", errno);
  if (!write_text("/sys/block/zram0/disksize", std::to_string(kExt4Size))) return not_tried("zram0", errno);
  Report report = not_tried("write to zram0");
  const auto content = get(image);
  const Fd fd(open("/dev/zram0", O_RDWR | O_CLOEXEC));
  if (write(fd.get(), content.data(), content.size()) == static_cast<ssize_t>(content.size()) &&
      fsync(fd.get()) == 0)
    report = change_below("/dev/zram0", "ext4", nullptr, "/dev/zram0");
  return report;
}

// Device mapper, one linear target over a part of a device.
struct Mapper {
  Fd control{open("/dev/mapper/control", O_RDWR | O_CLOEXEC)};
  std::string path;

  struct Request {
    dm_ioctl head;
    dm_target_spec target;
    char parameters[64];
  };
  static Request request() {
    Request made = {};
    made.head.version[0] = DM_VERSION_MAJOR;
    made.head.data_size = sizeof(made);
    made.head.data_start = offsetof(Request, target);
    (void)snprintf(made.head.name, sizeof(made.head.name), "attack");
    return made;
  }

  Mapper(const std::string& device, size_t from, size_t size) {
    Request create = request();
    if (!control || ioctl(control.get(), DM_DEV_CREATE, &create) != 0) return;
    Request table = request();
    table.head.target_count = 1;
    table.target.length = size / 512;
    (void)snprintf(table.target.target_type, sizeof(table.target.target_type), "linear");
    (void)snprintf(table.parameters, sizeof(table.parameters), "%s %zu", device.c_str(), from / 512);
    if (ioctl(control.get(), DM_TABLE_LOAD, &table) != 0) return;
    Request resume = request();
    if (ioctl(control.get(), DM_DEV_SUSPEND, &resume) != 0) return;
    path = "/dev/dm-" + std::to_string(minor(create.head.dev));
  }
  ~Mapper() {
    Request remove = request();
    if (control) (void)ioctl(control.get(), DM_DEV_REMOVE, &remove);
  }
  Mapper(const Mapper&) = delete;
  Mapper& operator=(const Mapper&) = delete;
};

Report on_mapper() {
  const std::string image = ext4_image();
  if (image.empty()) return not_tried("no ext4 on the disk", errno);
  const Loop loop(image);
  if (!loop.fd) return not_tried("loop device", errno);
  const Mapper mapper(loop.path, 0, kExt4Size);
  return mapper.path.empty() ? not_tried("device mapper", errno)
                             : change_below(mapper.path, "ext4", nullptr, image);
}

// What people have: a file system on device mapper on a disk. Btrfs shows the name of its device only.
Report on_mapped_disk(const char* type, size_t from, size_t size) {
  const Mapper mapper("/dev/vda", from, size);
  if (mapper.path.empty()) return not_tried("device mapper", errno);
  const std::string folder = scratch();
  if (mount(mapper.path.c_str(), folder.c_str(), type, 0, nullptr) != 0) return not_tried("mount", errno);
  const std::string path = folder + "/program";
  const bool written = put(path, get(known("elf")));
  const int result = written ? run({path}) : -errno;
  (void)umount2(folder.c_str(), MNT_DETACH);
  if (!written) return not_tried("write", -result);
  return result == kKnownCode ? allowed("a known program runs") : refused("exec", -result, 0);
}
Report on_ext4_disk() {
  return on_mapped_disk("ext4", 0, kExt4Size);
}
Report on_btrfs_disk() {
  return on_mapped_disk("btrfs", kExt4Size, kBtrfsSize);
}

constexpr Attack kAttacks[] = {
    {"storage-loop", kAll, "", on_loop, "ext4 on a loop device whose file is changed"},
    {"storage-btrfs", kAll, "", on_btrfs, "the same with btrfs"},
    {"storage-zram", kAll, "", on_zram, "ext4 on zram, which is written to"},
    {"storage-mapper", kAll, "", on_mapper, "ext4 on device mapper on loop"},
    {"storage-disk", kAll | kHarmless, nullptr, on_ext4_disk, "ext4 on device mapper on a disk"},
    {"storage-disk-btrfs", kAll | kHarmless, nullptr, on_btrfs_disk, "btrfs on device mapper on a disk"},
};

}  // namespace

std::span<const Attack> storage_attacks() {
  return kAttacks;
}

}  // namespace attacks
