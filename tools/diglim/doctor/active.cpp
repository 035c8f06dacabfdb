// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/doctor/active.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "lib/base/text.h"
#include "lib/manifest/manifest.h"
#include "tools/diglim/monitor/standing.h"

namespace diglim::doctor {
namespace {

constexpr const char* kId = "boot.active";

}  // namespace

Finding active_by_status(const std::optional<std::string>& status) {
  if (!status) {
    return {kId,
            Level::kWarn,
            "DIGLIM is not active",
            "diglim setup install, then reboot; if that was done: dmesg | grep diglim",
            {}};
  }
  const auto json = nlohmann::json::parse(*status, nullptr, false);
  const auto name = json.is_object() ? json.find("mode") : json.end();
  const auto mode = json.is_object() && name != json.end() && name->is_string()
                        ? mode_from_name(name->get<std::string>())
                        : std::nullopt;
  if (!mode) {
    return {
        kId,
        Level::kUnknown,
        "DIGLIM is active, in a mode that this program does not know",
        "if the loader is of another version than this program, reboot; it says more: diglim-loader status",
        {}};
  }
  if (const auto standing = monitor::read_standing(*status); standing && standing->left > 0) {
    return {kId,
            Level::kWarn,
            "DIGLIM " + monitor::on_text(*standing) + "; what is unknown runs",
            "wait, or end it: diglim monitor end; what ran meanwhile may still run, until a reboot",
            {}};
  }
  switch (*mode) {
    case ManifestMode::kEnforce:
      return {kId, Level::kOk, "DIGLIM is active and enforces", "", {}};
    case ManifestMode::kMeasure:
      return {kId,
              Level::kOk,
              "DIGLIM is active and measures: what is unknown is measured, and denied nowhere",
              "",
              {}};
    case ManifestMode::kPermissive:
      break;
  }
  return {kId,
          Level::kWarn,
          "DIGLIM is active, but permissive: nothing is denied",
          "when dmesg shows no more \"would deny\": diglim setup install --mode enforce, then reboot",
          {}};
}

std::optional<Finding> log_by_status(const std::optional<std::string>& status) {
  constexpr const char* kLog = "boot.log";
  const auto json = nlohmann::json::parse(status.value_or(""), nullptr, false);
  const auto events = json.is_object() ? json.find("events") : json.end();
  if (!json.is_object() || events == json.end() || !events->is_object()) return std::nullopt;
  const auto number = [&](const char* name) {
    const auto found = events->find(name);
    return found != events->end() && found->is_number_unsigned() ? found->get<uint64_t>() : uint64_t{0};
  };
  const auto fault = events->find("log_fault");
  if (fault != events->end() && fault->is_string() && !fault->get<std::string>().empty()) {
    return Finding{kLog,
                   Level::kWarn,
                   escape(fault->get<std::string>()),
                   "diglim-loader status starts another keeper if it is gone; find out who stopped it",
                   {}};
  }
  const auto age = number("keeper_age_ms");
  if (number("keeper_restarts") > 0) {
    return Finding{kLog,
                   Level::kWarn,
                   fmt::format("the keeper was gone and started again, {} times", number("keeper_restarts")),
                   "only root can end it: dmesg | grep 'diglim: the keeper' says when",
                   {}};
  }
  const uint64_t lost = number("not_logged") + number("not_written") + number("dropped");
  const uint64_t unsent = number("sent") > 0 ? number("unsent") : 0;  // nobody ever read: nobody wants them
  if (lost > 0 || unsent > 0) {
    return Finding{kLog,
                   Level::kWarn,
                   fmt::format("{} denials have no line, {} did not reach diglim-events", lost, unsent),
                   "diglim report says who causes most of them",
                   {}};
  }
  return Finding{
      kLog, Level::kOk, fmt::format("each denial has its line; the keeper was there {} ms ago", age), "", {}};
}

}  // namespace diglim::doctor
