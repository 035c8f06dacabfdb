// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/mount_rules.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "bpf/abi.h"

namespace diglim {
namespace {

// As in bpf/content.bpf.h: those whose content cannot change behind the kernel's back.
constexpr std::array<std::string_view, 11> kAccepted = {
    "ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "tmpfs", "ramfs", "squashfs", "erofs", "iso9660"};
#define DIGLIM_ITEM(text) text,
// Of the composed ones the kernel looks at what they are made of.
constexpr std::string_view kDisks[] = {DIGLIM_DISKS(DIGLIM_ITEM) DIGLIM_COMPOSED_DISKS(DIGLIM_ITEM)};
#undef DIGLIM_ITEM
constexpr std::array<std::string_view, 20> kOfKernel = {
    "proc",        "sysfs",   "cgroup", "cgroup2",    "devpts",    "securityfs", "debugfs",
    "tracefs",     "bpf",     "pstore", "mqueue",     "hugetlbfs", "configfs",   "autofs",
    "binfmt_misc", "fusectl", "nsfs",   "rpc_pipefs", "selinuxfs", "efivarfs"};

}  // namespace

std::string refusal(const Mount& mount) {
  const bool accepted = std::ranges::count(kAccepted, mount.type) > 0 || mount.type == "vfat" ||
                        mount.type == "rootfs" || mount.type == "devtmpfs";
  if (!accepted) return mount.type + ", whose content can change unseen";
  constexpr std::string_view kDevices = "/dev/";
  if (!mount.source.starts_with(kDevices)) return {};
  const std::string_view device = std::string_view(mount.source).substr(kDevices.size());
  // Names of the admin's (mapper/root) and the kernel's own for its first one do not tell the driver.
  if (device.find('/') != std::string_view::npos || device == "root") return {};
  if (std::ranges::any_of(kDisks, [&](std::string_view disk) { return device.starts_with(disk); })) return {};
  return mount.type + " on " + mount.source + ", which is no disk: root can change its content";
}

bool is_of_kernel(const Mount& mount) {
  return std::ranges::count(kOfKernel, mount.type) > 0;
}

}  // namespace diglim
