// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lib/base/text.h"
#include "tools/diglim/doctor/checks.h"
#include "tools/diglim/mount_rules.h"

namespace diglim::doctor {
namespace {

// Programs lie on these by their nature, or never.
constexpr std::array<std::string_view, 8> kFoldersOfPrograms = {"/",          "/usr",  "/boot", "/opt",
                                                                "/usr/local", "/home", "/srv",  "/var"};

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
