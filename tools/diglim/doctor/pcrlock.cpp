// SPDX-License-Identifier: Apache-2.0
// Would what is bound to systemd-pcrlock's policy open by itself at the next boot?
#include <fmt/format.h>

#include <set>
#include <sstream>

#include "lib/base/text.h"
#include "tools/diglim/doctor/checks.h"
#include "tools/diglim/setup/uki_images.h"
#include "tools/pcrlock/values.h"

namespace diglim::doctor {
namespace {

constexpr char kId[] = "measurement.pcrlock";
using pcrlock::Values;

// No image of ours boots this host.
Finding without_images(const Host& host, const Values& pcrs) {
  constexpr char kImages[] = "diglim setup install --uki; then make it anew: man diglim-pcr has all commands";
  if (!pcrlock::knows_initramfs(pcrs))
    return {kId,
            Level::kWarn,
            "systemd-pcrlock's policy opens what is bound to it to any initramfs: this host boots no signed "
            "images",
            kImages,
            {}};
  if (pcrlock::is_zero(host.text("/sys/class/tpm/tpm0/pcr-sha256/11").value_or("")))
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

}  // namespace

void check_pcrlock(const Host& host, const Config& config, Findings& findings) {
  if (!config.measures()) return;
  const Values pcrs = pcrlock::read_values(host.text(pcrlock::kPolicy).value_or(""));
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
  const auto signed_images =
      setup::signed_images(host, setup::uki_setting(host.text(setup::kUkiConfig).value_or(""), "esp"));
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
    const auto line = setup::image_stamp(host, image);
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
