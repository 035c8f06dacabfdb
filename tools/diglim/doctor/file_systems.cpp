// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lib/base/text.h"
#include "tools/diglim/doctor/checks.h"

namespace diglim::doctor {
namespace {

// As in bpf/verdict.bpf.h: those whose content cannot change behind the kernel's back.
constexpr std::array<std::string_view, 11> kAccepted = {
    "ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "tmpfs", "ramfs", "squashfs", "erofs", "iso9660"};
constexpr std::array<std::string_view, 4> kUnsafeDevices = {"/dev/loop", "/dev/ram", "/dev/nbd", "/dev/zram"};
// Programs lie on these by their nature, or never.
constexpr std::array<std::string_view, 8> kFoldersOfPrograms = {"/",          "/usr",  "/boot", "/opt",
                                                                "/usr/local", "/home", "/srv",  "/var"};

// Why nothing runs from this mount; empty if it does.
std::string refusal(const Mount& mount) {
  const bool accepted = std::ranges::count(kAccepted, mount.type) > 0 || mount.type == "vfat" ||
                        mount.type == "rootfs" || mount.type == "devtmpfs";
  if (!accepted) return mount.type + ", whose content can change unseen";
  for (std::string_view device : kUnsafeDevices) {
    if (mount.source.starts_with(device))
      return mount.type + " on " + mount.source + ", whose content root can change";
  }
  return {};
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
