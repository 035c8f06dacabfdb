// SPDX-License-Identifier: Apache-2.0
#include "lib/base/paths.h"
#include "lib/base/text.h"
#include "policy/config.h"
#include "tools/diglim/doctor/checks.h"

namespace diglim::doctor {
namespace {

bool runs(const Host& host, std::string_view lsm) {
  return has_item(host.text("/sys/kernel/security/lsm").value_or(""), lsm);
}

// The reason why nobody can predict what will be measured, and what to do; nothing if all is well.
std::optional<std::pair<std::string, std::string>> find_obstacle(const Host& host, const Config& config) {
  const bool selinux = runs(host, "selinux");
  if (config.labels == PolicyLabels::kAppArmor) {
    if (runs(host, "apparmor")) return std::nullopt;
    return std::pair("AppArmor does not run, so everything is measured, known or not",
                     selinux ? set_in_configuration("labels = selinux") : "boot with AppArmor in lsm=");
  }
  if (!selinux)
    return std::pair("SELinux does not run, so everything is measured, known or not",
                     set_in_configuration("labels = apparmor"));
  if (!host.exists("/sys/fs/selinux/enforce"))
    return std::pair(
        "SELinux has no policy, so measuring never begins",
        "SELINUX=permissive in /etc/selinux/config, and reboot; enforcing once all files have their labels");
  if (config.steering_labels() == PolicyLabels::kNone)
    return std::pair("in permissive mode under SELinux everything is measured, known or not",
                     set_in_configuration("mode = enforce or mode = measure"));
  // DIGLIM's programs answer in its place; without them this is what stays.
  if (host.text("/sys/fs/selinux/enforce") == "0")
    return std::pair(
        "SELinux is permissive: were DIGLIM's programs gone, root could take the role that keeps IMA from "
        "measuring a file",
        "setenforce 1, and SELINUX=enforcing in /etc/selinux/config");
  return std::nullopt;
}

}  // namespace

std::string set_in_configuration(const std::string& setting) {
  return "set " + setting + " in /etc/diglim/loader.conf, then " + kRemakeInitramfs + " and reboot";
}

void check_measurement(const Host& host, const Config& config, Findings& findings) {
  if (!config.measures() || !host.exists("/sys/kernel/security/lsm")) return;
  auto obstacle = find_obstacle(host, config);
  if (!obstacle) {
    findings.push_back({"measurement", Level::kOk, "IMA can be told what is known", "", {}});
    return;
  }
  findings.push_back(
      {"measurement", Level::kWarn, std::move(obstacle->first), std::move(obstacle->second), {}});
}

}  // namespace diglim::doctor
