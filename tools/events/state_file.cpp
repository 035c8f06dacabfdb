// SPDX-License-Identifier: Apache-2.0
#include "tools/events/state_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <nlohmann/json.hpp>

#include "lib/base/text.h"

namespace diglim::events {
namespace {

using nlohmann::json;

uint64_t number(const json& from, const char* name) {
  const auto found = from.find(name);
  return found != from.end() && found->is_number_unsigned() ? found->get<uint64_t>() : 0;
}

std::string text_of(const json& from, const char* name) {
  const auto found = from.find(name);
  return found != from.end() && found->is_string() ? found->get<std::string>() : std::string();
}

json outlets_of(const json& state) {
  const auto found = state.is_object() ? state.find("outlets") : state.end();
  json outlets = json::array();
  if (!state.is_object() || found == state.end() || !found->is_array()) return outlets;
  for (const json& one : *found)
    if (one.is_object()) outlets.push_back(one);
  return outlets;
}

}  // namespace

std::string state_text(const std::string& boot, uint64_t not_understood, bool stopped,
                       const std::vector<std::unique_ptr<Outlet>>& outlets) {
  json all = json::array();
  for (const auto& outlet : outlets) {
    const Outlet::State state = outlet->state();
    all.push_back({{"name", outlet->name()},
                   {"written", state.written},
                   {"lost", state.lost},
                   {"queued", outlet->queued()},
                   {"said", state.said},
                   {"next", state.next},
                   {"fresh", state.is_fresh},
                   {"error", state.error}});
  }
  const json state = {{"boot", boot},
                      {"pid", getpid()},
                      {"stopped", stopped},
                      {"not_understood", not_understood},
                      {"outlets", all}};
  return state.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

std::map<std::string, Outlet::State> parse_state(std::string_view text, std::string_view boot) {
  const json state = json::parse(text, nullptr, false);
  std::map<std::string, Outlet::State> states;
  if (!state.is_object() || text_of(state, "boot") != boot) return states;
  for (const json& one : outlets_of(state)) {
    Outlet::State& known = states[text_of(one, "name")];
    known.written = number(one, "written");
    known.lost = number(one, "lost");
    known.said = number(one, "said");
    known.next = number(one, "next");
    known.is_fresh = one.value("fresh", json(true)) == json(true);
  }
  return states;
}

std::string status_text(std::string_view text, const std::function<bool()>& is_locked, bool& lost) {
  const json state = json::parse(text, nullptr, false);
  if (!state.is_object()) {
    lost = true;
    return "the state is damaged; the next event writes it anew\n";
  }
  const auto pid = static_cast<pid_t>(number(state, "pid"));
  const bool is_there = pid > 0 && (kill(pid, 0) == 0 || errno == EPERM);  // EPERM: of another user
  const bool runs = state.value("stopped", json(false)) != json(true) && is_there && is_locked();
  lost = !runs;
  std::string out = runs ? fmt::format("runs, process {}\n", pid)
                         : "does not run: systemctl enable --now diglim-events.service\n";
  for (const json& one : outlets_of(state)) {
    const std::string error = text_of(one, "error");
    lost = lost || number(one, "lost") > 0 || !error.empty();
    out += fmt::format("{}: {} written, {} lost, {} wait{}\n", escape(text_of(one, "name")),
                       number(one, "written"), number(one, "lost"), number(one, "queued"),
                       error.empty() ? "" : "; refuses: " + escape(error));
  }
  if (const uint64_t strange = number(state, "not_understood"); strange > 0) {
    lost = true;
    out += fmt::format("{} events of another version were left out: reboot\n", strange);
  }
  return out;
}

}  // namespace diglim::events
