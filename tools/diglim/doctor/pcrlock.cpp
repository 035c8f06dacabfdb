// SPDX-License-Identifier: Apache-2.0
// Would what is bound to systemd-pcrlock's policy open by itself at the next boot?
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "lib/base/text.h"
#include "tools/diglim/doctor/checks.h"
#include "tools/diglim/setup/uki.h"

namespace diglim::doctor {
namespace {

constexpr char kId[] = "measurement.pcrlock";
constexpr char kPolicy[] = "/var/lib/systemd/pcrlock.json";

// The policy's registers, each with its values; none: there is no policy.
std::map<unsigned, std::vector<std::string>> registers(const Host& host) {
  std::map<unsigned, std::vector<std::string>> found;
  const auto policy = nlohmann::json::parse(host.text(kPolicy).value_or(""), nullptr, false);
  const auto pcrs = policy.is_object() ? policy.find("pcrValues") : policy.end();
  if (!policy.is_object() || pcrs == policy.end() || !pcrs->is_array()) return found;
  for (const auto& entry : *pcrs) {
    const auto pcr = entry.is_object() ? entry.find("pcr") : entry.end();
    if (!entry.is_object() || pcr == entry.end() || !pcr->is_number_unsigned()) continue;
    auto& values = found[pcr->get<unsigned>()];
    const auto given = entry.find("values");
    if (given == entry.end() || !given->is_array()) continue;
    for (const auto& value : *given) {
      if (value.is_string()) values.push_back(value.get<std::string>());
    }
  }
  return found;
}

bool is_zero(std::string_view hex) {
  return hex.find_first_not_of("0\n") == std::string_view::npos;
}

// Does it say which initramfs boots, the kernel's stub (9) or systemd's (11)?
bool knows_initramfs(const std::map<unsigned, std::vector<std::string>>& pcrs) {
  return std::ranges::any_of(pcrs, [](const auto& entry) {
    return (entry.first == 9 || entry.first == 11) && std::ranges::none_of(entry.second, is_zero);
  });
}

// No image of ours boots this host.
Finding without_images(const Host& host, const std::map<unsigned, std::vector<std::string>>& pcrs) {
  constexpr char kImages[] = "diglim setup install --uki; then make it anew: man diglim-pcr has all commands";
  if (!knows_initramfs(pcrs))
    return {kId,
            Level::kWarn,
            "systemd-pcrlock's policy opens what is bound to it to any initramfs: this host boots no signed "
            "images",
            kImages,
            {}};
  if (is_zero(host.text("/sys/class/tpm/tpm0/pcr-sha256/11").value_or("")))
    return {kId,
            Level::kWarn,
            "systemd-pcrlock's policy does not know this boot and stays as it is, since no signed image "
            "booted: what "
            "is bound to it asks for its recovery key",
            kImages,
            {}};
  return {kId,
          Level::kUnknown,
          "whether systemd-pcrlock's policy knows the next boot is not known: DIGLIM made no signed image of "
          "this host",
          "systemctl start diglim-pcrlock-next.service after each new image",
          {}};
}

// As that program writes it: time, size, name.
std::optional<std::string> line_of(const Host& host, const std::string& image) {
  struct stat info = {};
  if (stat(host.path(image).c_str(), &info) != 0) return std::nullopt;
  return fmt::format("{} {} {}", info.st_mtim.tv_sec, info.st_size, image);
}

std::vector<std::string> images(const Host& host) {
  const std::string esp = setup::uki_setting(host.text(setup::kUkiConfig).value_or(""), "esp");
  std::vector<std::string> found;
  if (esp.empty()) return found;
  for (const std::string& name : host.names(esp + "/EFI/Linux")) {
    if (name.starts_with("diglim-") && name.ends_with(".efi")) found.push_back(esp + "/EFI/Linux/" + name);
  }
  for (const std::string& name : host.names(esp + "/EFI/diglim")) {
    if (name.ends_with("-previous.efi")) found.push_back(esp + "/EFI/diglim/" + name);
  }
  return found;
}

}  // namespace

void check_pcrlock(const Host& host, const Config& config, Findings& findings) {
  if (!config.measures()) return;
  const auto pcrs = registers(host);
  if (pcrs.empty()) return;
  const auto pcr = static_cast<unsigned>(config.pcr);
  // Firmware's keys, the image, and what DIGLIM measured.
  for (const unsigned wanted : {pcr, 7u, 11u}) {
    if (pcrs.contains(wanted)) continue;
    findings.push_back(
        {kId,
         Level::kWarn,
         fmt::format("systemd-pcrlock's policy has not PCR {}: what is bound to it opens whatever {}", wanted,
                     wanted == pcr ? "ran" : "booted"),
         fmt::format("systemd-pcrlock --pcr={} ... make-policy; man diglim-pcr has all commands", wanted),
         {}});
    return;
  }
  const auto signed_images = images(host);
  if (signed_images.empty()) {
    findings.push_back(without_images(host, pcrs));
    return;
  }
  std::set<std::string> known;
  std::istringstream text(host.text(setup::kPcrlockState).value_or(""));
  for (std::string line; std::getline(text, line);) known.insert(line);
  Finding finding{kId, Level::kOk, "systemd-pcrlock's policy knows the next boot", "", {}};
  if (!host.exists(setup::kPcrlockState)) add_item(finding, "no boot was told to it");
  for (const std::string& image : signed_images) {
    const auto line = line_of(host, image);
    if (line && !known.contains(*line)) add_item(finding, escape(image));
  }
  if (!finding.items.empty()) {
    finding.level = Level::kWarn;
    finding.what =
        "systemd-pcrlock's policy does not know the next boot: what is bound to it would not open by itself";
    finding.next =
        "systemctl enable diglim-pcrlock.service; systemctl start diglim-pcrlock-next.service; if that is "
        "not enough: journalctl -u diglim-pcrlock-next.service";
  }
  findings.push_back(std::move(finding));
}

}  // namespace diglim::doctor
