// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/setup/clean.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lib/base/file.h"
#include "lib/base/text.h"

namespace diglim::setup {
namespace {

using nlohmann::json;

constexpr uint64_t kDay = 24ull * 3600;
constexpr size_t kMaxWatch = 64u << 10;

// The first reason why the time since the last look does not count; empty: it does.
std::string objection(const CleanWatch& watch, const Look& look, const JournalSince& journal) {
  const bool same_boot = watch.boot == look.boot;
  const uint64_t before = same_boot ? watch.denied : 0;
  if (same_boot && (look.boot_seconds < watch.boot_seconds || look.denied < before))
    return "the kernel's count of time or denials went back";
  const uint64_t denied = std::max(look.denied - before, journal.denials);
  if (denied > 0) return fmt::format("{} would have been denied (diglim report)", denied);
  if (!look.fault.empty()) return look.fault;
  return journal.fault;
}

}  // namespace

Result<Look> read_look(std::string_view status) {
  const json all = json::parse(status, nullptr, false);
  Look look;
  try {
    look.mode = all.at("mode").get<std::string>();
    look.boot = all.at("monitor").at("boot").get<std::string>();
    look.boot_seconds = all.at("monitor").at("boot_seconds").get<uint64_t>();
    look.denied = all.at("events").at("denied").get<uint64_t>();
    look.fault = escape(all.at("events").at("log_fault").get<std::string>());
  } catch (const json::exception&) {
    return corrupt(0, "the loader's status is of another version: reboot");
  }
  if (look.boot.empty()) return corrupt(0, "the loader's status names no boot");
  return look;
}

CleanWatch after_look(CleanWatch watch, const std::optional<Look>& look, const JournalSince& journal) {
  const std::string why = look ? objection(watch, *look, journal) : "DIGLIM was not active";
  const bool same_boot = look && watch.boot == look->boot;
  if (!why.empty()) {
    watch.clean_seconds = 0;
    watch.boots = 0;
    watch.set_back = why;
  } else {
    watch.clean_seconds += look->boot_seconds - (same_boot ? watch.boot_seconds : 0);
    watch.boots += same_boot ? 0 : 1;
  }
  watch.cursor = journal.cursor;
  watch.boot = look ? look->boot : "";
  watch.boot_seconds = look ? look->boot_seconds : 0;
  watch.denied = look ? look->denied : 0;
  return watch;
}

bool is_clean(const CleanWatch& watch) {
  return watch.days > 0 && watch.boots > 0 && watch.clean_seconds >= watch.days * kDay;
}

std::string describe(const CleanWatch& watch, std::string_view boot) {
  const uint64_t wanted = watch.days * kDay;
  const uint64_t left = watch.clean_seconds < wanted ? (wanted - watch.clean_seconds + kDay - 1) / kDay : 0;
  std::string text;
  if (watch.switched) {
    text = "enforces from the next boot on";
  } else if (left == 0 && watch.boots > 0) {
    text = "enforces as soon as nothing speaks against it";
  } else {
    text = fmt::format("enforces after {}{}{}",
                       left > 0 ? fmt::format("{} more clean day{}", left, left == 1 ? "" : "s") : "",
                       left > 0 && watch.boots == 0 ? " and " : "", watch.boots == 0 ? "a clean reboot" : "");
  }
  if (!watch.set_back.empty() && !watch.switched) text += "; last set back: " + watch.set_back;
  if (!boot.empty() && watch.boot != boot)
    text += "; not looked at in this boot yet (systemctl status diglim-watch.timer)";
  return text;
}

Result<std::optional<CleanWatch>> load_watch(const std::string& path) {
  const auto bytes = read_file(path, kMaxWatch);
  if (!bytes && bytes.error().code == ErrorCode::kNotFound) return std::optional<CleanWatch>();
  if (!bytes) return bytes.error();
  const json in = json::parse(as_text(*bytes), nullptr, false);
  CleanWatch watch;
  try {
    watch.days = in.at("days").get<unsigned>();
    watch.lockdown = in.at("lockdown").get<bool>();
    watch.switched = in.at("switched").get<bool>();
    watch.switching = in.value("switching", false);
    watch.boot = in.at("boot").get<std::string>();
    watch.boot_seconds = in.at("boot_seconds").get<uint64_t>();
    watch.denied = in.at("denied").get<uint64_t>();
    watch.cursor = in.at("cursor").get<std::string>();
    watch.clean_seconds = in.at("clean_seconds").get<uint64_t>();
    watch.boots = in.at("boots").get<unsigned>();
    watch.set_back = escape(in.at("set_back").get<std::string>());
  } catch (const json::exception&) {
    watch.days = 0;
  }
  if (watch.days == 0 || watch.days > kMaxCleanDays)
    return corrupt(0, escape(path) + " is damaged: run diglim setup install --enforce-when-clean again");
  return std::optional<CleanWatch>(watch);
}

Result<void> save_watch(const std::string& path, const CleanWatch& watch) {
  const json out = {
      {"days", watch.days},           {"lockdown", watch.lockdown}, {"switched", watch.switched},
      {"switching", watch.switching}, {"boot", watch.boot},         {"boot_seconds", watch.boot_seconds},
      {"denied", watch.denied},       {"cursor", watch.cursor},     {"clean_seconds", watch.clean_seconds},
      {"boots", watch.boots},         {"set_back", watch.set_back}};
  const std::string text = out.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
  return write_file_atomically(path, as_bytes(text), 0600);
}

}  // namespace diglim::setup
