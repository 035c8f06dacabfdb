// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/monitor/standing.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "lib/base/paths.h"
#include "lib/base/text.h"

namespace diglim::monitor {
namespace {

using nlohmann::json;

std::string who(const Standing& standing) {
  if (standing.mode != "enforce") return "nobody needs it: this mode denies nothing that it would let run";
  if (standing.allowed == "signed")
    return "it begins with a statement that a trusted key signed: diglim monitor --for 30m --reason TEXT -k "
           "KEY -c CERTIFICATE";
  if (standing.allowed == "root") return "root may begin it: diglim monitor --for 30m --reason TEXT";
  return std::string(
             "nobody may begin it in this boot: its /etc/diglim/loader.conf has no \"monitor = signed\". "
             "Write that, then ") +
         kRemakeInitramfs + ", and reboot; who cannot get in boots the entry \"DIGLIM permissive\"";
}

}  // namespace

Result<Standing> read_standing(std::string_view status) {
  const json all = json::parse(status, nullptr, false);
  Standing standing;
  try {
    const json& one = all.at("monitor");
    standing.mode = escape(all.at("mode").get<std::string>());
    standing.allowed = one.at("allowed").get<std::string>();
    standing.left = one.at("left").get<uint64_t>();
    standing.reason = escape(one.at("reason").get<std::string>());
    standing.times = one.at("times").get<uint64_t>();
    standing.boot = one.at("boot").get<std::string>();
    standing.boot_seconds = one.at("boot_seconds").get<uint64_t>();
  } catch (const json::exception&) {
    return corrupt(0, "the loader's status says nothing of monitor mode: it is of another version; reboot");
  }
  return standing;
}

std::string on_text(const Standing& standing) {
  const uint64_t minutes = (standing.left + 59) / 60;
  return fmt::format(
      "monitors for another {}, because: {}",
      standing.left < 120 ? fmt::format("{} s", standing.left) : fmt::format("{} min", minutes),
      standing.reason);
}

std::string describe(const Standing& standing) {
  if (standing.left > 0) {
    return fmt::format(
        "{}\nWhat is unknown runs and is logged (diglim report); diglim monitor end ends it now.\n",
        on_text(standing));
  }
  std::string last;
  if (standing.times > 0)
    last = fmt::format("; it was begun {} time{} in this boot, the last because: {}", standing.times,
                       standing.times == 1 ? "" : "s", standing.reason);
  return fmt::format("monitor mode is off{}\n{}\n", last, who(standing));
}

}  // namespace diglim::monitor
