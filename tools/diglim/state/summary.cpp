// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/state/summary.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "lib/base/text.h"
#include "tools/diglim/allow/when.h"
#include "tools/diglim/monitor/standing.h"

namespace diglim::state {
namespace {

using nlohmann::json;

uint64_t number(const json& from, const char* name) {
  const auto found = from.find(name);
  return found != from.end() && found->is_number_unsigned() ? found->get<uint64_t>() : 0;
}

std::string text(const json& from, const char* name) {
  const auto found = from.find(name);
  return found != from.end() && found->is_string() ? escape(found->get<std::string>()) : "";
}

size_t count(const json& from, const char* name) {
  const auto found = from.find(name);
  return found != from.end() && found->is_array() ? found->size() : 0;
}

std::string exceptions_line(const Facts& facts) {
  std::string line = fmt::format("exceptions  {}", facts.exceptions);
  if (facts.next_end > 0) line += fmt::format(", the next ends {}", allow::time_text(facts.next_end));
  return line;
}

std::string last_line(const Facts& facts) {
  if (facts.last_denied.empty()) return "last        no denial in the log";
  return fmt::format("last        {}{}", escape(facts.last_denied),
                     facts.last_denied_at > 0 ? " at " + allow::time_text(facts.last_denied_at) : "");
}

Summary not_active(const Facts& facts) {
  Summary summary;
  const bool hidden = !facts.is_root;
  summary.lines = {
      hidden ? "DIGLIM      only root may ask whether it is active"
             : "DIGLIM      is not active: nothing is denied",
      fmt::format("next boot   {}", facts.is_set_up ? "it is set up (diglim setup)" : "it is not set up"),
      "denied      nothing is known", exceptions_line(facts), last_line(facts)};
  if (hidden)
    summary.next = "sudo diglim";
  else if (facts.is_set_up)
    summary.next = "reboot; if that was done, dmesg | grep diglim says why it is not active";
  else
    summary.next =
        "diglim doctor and diglim scan say what this host lacks, diglim setup install switches it on";
  return summary;
}

}  // namespace

Summary summarize(const Facts& facts) {
  const json status = facts.status ? json::parse(*facts.status, nullptr, false) : json();
  if (!status.is_object()) return not_active(facts);
  const auto found = status.find("events");
  const json events = found != status.end() && found->is_object() ? *found : json::object();
  const std::string mode = text(status, "mode");
  const uint64_t denied = number(events, "denied");
  const uint64_t lost =
      number(events, "not_logged") + number(events, "not_written") + number(events, "dropped");
  const std::string fault = text(events, "log_fault");
  Summary summary;
  summary.lines = {
      fmt::format("DIGLIM      {}", mode == "enforce"      ? "enforces"
                                    : mode == "permissive" ? "is active but permissive: nothing is denied"
                                    : mode == "measure" ? "measures what is unknown, and denies nothing of it"
                                                        : "is in a mode that this version does not know"),
      fmt::format("knows       {} digests of {} lists, signed by {} keys; generation {}, since {}",
                  number(status, "digests"), count(status, "lists"), count(status, "keys"),
                  number(status, "generation"), allow::time_text(number(status, "loaded_at"))),
      fmt::format("denied      {}{} since the boot{}", denied, mode == "permissive" ? " would have been" : "",
                  !fault.empty() ? "; " + fault
                  : lost > 0     ? fmt::format(", {} of them without a line in the log", lost)
                                 : ""),
      exceptions_line(facts), last_line(facts)};
  if (mode == "permissive" && !facts.watch.empty())
    summary.lines[0] = fmt::format("DIGLIM      is permissive, denies nothing; {}", facts.watch);
  const auto standing = monitor::read_standing(*facts.status);
  const bool monitors = standing && standing->left > 0;
  if (monitors) summary.lines[0] = fmt::format("DIGLIM      {}", monitor::on_text(*standing));
  summary.good = mode != "permissive" && !monitors && fault.empty();
  if (monitors)
    summary.next = "diglim report says what runs by it; diglim monitor end ends it";
  else if (!fault.empty())
    summary.next = "diglim-loader status starts another keeper; find out who stopped the last one";
  else if (mode == "permissive" && denied > 0)
    summary.next = "diglim report says what would be denied, and what to do about it";
  else if (mode == "permissive" && !facts.watch.empty())
    summary.next = "nothing; diglim setup install --mode enforce does not wait";
  else if (mode == "permissive")
    summary.next = "nothing would have been denied: diglim setup install --mode enforce";
  else if (denied > 0)
    summary.next = "diglim explain says why, and what would change it; diglim report says all";
  else
    summary.next = "nothing; diglim --help names the verbs";
  return summary;
}

}  // namespace diglim::state
