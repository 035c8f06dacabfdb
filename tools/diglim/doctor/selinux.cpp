// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/xattr.h>

#include <array>
#include <sstream>

#include "lib/base/paths.h"
#include "lib/base/text.h"
#include "tools/diglim/doctor/checks.h"

namespace diglim::doctor {
namespace {

constexpr std::string_view kType = "diglim_loader_exec_t";  // packaging/selinux/diglim.te

// The policy that the configuration names, as selinux_config(5) says.
std::string policy_name(const Host& host) {
  std::istringstream lines(host.text("/etc/selinux/config").value_or(""));
  constexpr std::string_view kKey = "SELINUXTYPE=";
  std::string name = "targeted";
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(kKey)) name = line.substr(kKey.size());
  }
  return name.substr(0, name.find_first_of(" \t\r"));
}

// "bin_t" of "system_u:object_r:bin_t:s0"; empty if there is no label.
std::string type_of(const std::string& path) {
  std::array<char, 256> label = {};
  if (getxattr(path.c_str(), "security.selinux", label.data(), label.size() - 1) < 0) return {};
  std::istringstream parts(label.data());
  std::string part;
  for (int i = 0; i < 3; ++i) std::getline(parts, part, ':');
  return part;
}

}  // namespace

void check_selinux(const Host& host, Findings& findings) {
  const auto enforce = host.text("/sys/fs/selinux/enforce");
  if (!enforce) return;
  const std::string id = "selinux.module";
  const std::string contexts =
      host.text("/etc/selinux/" + policy_name(host) + "/contexts/files/file_contexts").value_or("");
  if (contexts.find(kType) == std::string::npos) {
    findings.push_back({id,
                        Level::kWarn,
                        *enforce == "1"
                            ? "SELinux enforces without DIGLIM's module: what confined domains (rpm, "
                              "for one) ask of the loader fails"
                            : "SELinux, permissive now, has no module of DIGLIM: once it enforces, "
                              "what confined domains (rpm, for one) ask of the loader fails",
                        "install the package diglim-selinux",
                        {}});
    return;
  }
  Finding unlabelled{id, Level::kWarn, "", "restorecon -RF /usr/sbin/diglim-loader /run/diglim", {}};
  for (const std::string_view loader : {kInstalledLoader, kBootLoader}) {
    if (!host.exists(loader)) continue;
    const std::string type = type_of(host.path(loader));
    if (type != kType)
      add_item(unlabelled, fmt::format("{}: {}", loader, type.empty() ? "no label" : escape(type)));
  }
  if (unlabelled.count > 0) {
    unlabelled.what = fmt::format("SELinux does not know the loader by its label, {}", kType);
    findings.push_back(std::move(unlabelled));
    return;
  }
  findings.push_back(
      {id, Level::kOk, "SELinux has a domain for the loader, and the loader its label", "", {}});
}

}  // namespace diglim::doctor
