// SPDX-License-Identifier: Apache-2.0
// Who else extends the register that DIGLIM's measurements go to?
#include <fmt/format.h>

#include <algorithm>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/tcg/event_log.h"
#include "tools/diglim/doctor/checks.h"
#include "tools/diglim/measure/extends.h"

namespace diglim::doctor {
namespace {

constexpr char kId[] = "measurement.pcr";
constexpr unsigned kStubPcr = 11;

bool extends(const std::vector<Extend>& all, unsigned pcr) {
  return std::any_of(all.begin(), all.end(), [&](const Extend& extend) { return extend.pcr == pcr; });
}

// One that nobody extended at this boot. Where systemd's stub runs there is no GRUB, so 8 is free, and newer
// systemd extends all others in the initramfs (systemd-pcrosseparator.service).
std::optional<unsigned> find_free(const std::vector<Extend>& before, const std::vector<Extend>& after) {
  const bool stub = extends(before, kStubPcr);
  for (const unsigned pcr :
       stub ? std::vector<unsigned>{8, 13, 14, 12, 15, 9} : std::vector<unsigned>{12, 13, 14, 15, 8, 9}) {
    if (!extends(before, pcr) && !extends(after, pcr)) return pcr;
  }
  return std::nullopt;
}

std::string another(const std::vector<Extend>& before, const std::vector<Extend>& after) {
  const auto free = find_free(before, after);
  const std::string pcr = free ? std::to_string(*free) : "another one";
  return set_in_configuration("pcr = " + pcr) + " (" + (free ? "nobody extended it at this boot; " : "") +
         "man diglim-loader.conf says who extends each)";
}

void add_items(Finding& finding, const std::vector<Extend>& all, unsigned pcr) {
  for (const Extend& extend : all) {
    if (extend.pcr == pcr) add_item(finding, extend.who + ": " + extend.what);
  }
}

// Nothing if there is no such log: then nobody kept one.
Result<std::vector<Extend>> read_firmware_log(const Host& host) {
  if (!host.exists(kFirmwareLog)) return std::vector<Extend>();
  TRY_ASSIGN(const Bytes log, read_stream(host.path(kFirmwareLog), kMaxEventLogBytes));
  return firmware_extends(log, HashAlgo::kSha256);
}
Result<std::vector<Extend>> read_systemd_log(const Host& host) {
  if (!host.exists(kSystemdLog)) return std::vector<Extend>();
  TRY_ASSIGN(const Bytes log, read_stream(host.path(kSystemdLog), kMaxSystemdLogBytes));
  return systemd_extends(as_text(log), HashAlgo::kSha256);
}

}  // namespace

void check_register(const Host& host, const Config& config, Findings& findings) {
  if (!config.measures() || (!host.exists(kFirmwareLog) && !host.exists(kSystemdLog))) return;
  const auto pcr = static_cast<unsigned>(config.pcr);
  const auto before = read_firmware_log(host);
  const auto after = read_systemd_log(host);
  if (!before || !after) {
    findings.push_back({kId,
                        Level::kUnknown,
                        fmt::format("whether somebody else extends PCR {} is not known: {}", pcr,
                                    (before ? after.error() : before.error()).message),
                        "run this as root",
                        {}});
    return;
  }
  Finding finding{kId, Level::kOk, fmt::format("nobody else extends PCR {}", pcr), "", {}};
  if (extends(*after, pcr)) {
    finding.level = Level::kWarn;
    finding.what = fmt::format("systemd extends PCR {}, too, so no value of it can be predicted", pcr);
    finding.next = another(*before, *after);
    add_items(finding, *after, pcr);
  } else if (extends(*before, pcr)) {
    finding.level = Level::kWarn;
    finding.what = fmt::format(
        "PCR {} does not begin with zeros, so its value depends on more than DIGLIM; pcr predict counts it "
        "here, and "
        "elsewhere with --event-log",
        pcr);
    finding.next = another(*before, *after);
    add_items(finding, *before, pcr);
  }
  findings.push_back(std::move(finding));
}

}  // namespace diglim::doctor
