// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/doctor/active.h"

#include <nlohmann/json.hpp>

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

}  // namespace diglim::doctor
