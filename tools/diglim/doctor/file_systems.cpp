// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "bpf/abi.h"
#include "lib/base/text.h"
#include "tools/diglim/doctor/checks.h"

namespace diglim::doctor {
namespace {

// As in bpf/content.bpf.h: those whose content cannot change behind the kernel's back.
constexpr std::array<std::string_view, 11> kAccepted = {
    "ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "tmpfs", "ramfs", "squashfs", "erofs", "iso9660"};
#define DIGLIM_ITEM(text) text,
// Of the composed ones the kernel looks at what they are made of.
constexpr std::string_view kDisks[] = {DIGLIM_DISKS(DIGLIM_ITEM) DIGLIM_COMPOSED_DISKS(DIGLIM_ITEM)};
#undef DIGLIM_ITEM
// Programs lie on these by their nature, or never.
constexpr std::array<std::string_view, 8> kFoldersOfPrograms = {"/",          "/usr",  "/boot", "/opt",
                                                                "/usr/local", "/home", "/srv",  "/var"};

// Why nothing runs from this mount; empty if it does.
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

}  // namespace

void check_file_systems(const Host& host, Findings& findings) {
  if (host.mounts().empty()) {
    findings.push_back(
        {"file_systems", Level::kUnknown, "cannot read /proc/self/mountinfo", "mount /proc", {}});
    return;
  }
  const size_t before = findings.size();
  std::vector<std::string> seen;
  for (std::string_view folder : kFoldersOfPrograms) {
    const auto mount = host.mount_of(folder);
    if (!mount || std::ranges::count(seen, mount->point) > 0) continue;
    seen.push_back(mount->point);
    const std::string why = refusal(*mount);
    if (why.empty()) continue;
    const bool vital = folder == "/" || folder == "/usr" || folder == "/boot";
    findings.push_back(
        {"file_systems",
         vital ? Level::kFail : Level::kWarn,
         fmt::format("nothing may run from {}: it is on {}", escape(mount->point), escape(why)),
         "move it to a file system on a local disk: ext4, xfs, btrfs, f2fs, squashfs, erofs, tmpfs",
         {}});
  }
  if (findings.size() == before) {
    findings.push_back(
        {"file_systems", Level::kOk, "programs may run from all file systems that hold them", "", {}});
  }
}

}  // namespace diglim::doctor
