// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <ctime>
#include <nlohmann/json.hpp>

#include "lib/base/text.h"
#include "tools/diglim/explain/log.h"

namespace diglim::explain {
namespace {

using nlohmann::json;

std::string text_of(const json& event, const char* name) {
  const auto found = event.find(name);
  return found != event.end() && found->is_string() ? found->get<std::string>() : std::string();
}

uint64_t number_of(const json& event, const char* name) {
  const auto found = event.find(name);
  return found != event.end() && found->is_number_unsigned() ? found->get<uint64_t>() : 0;
}

// "2026-11-27T12:00:00.123456Z"; 0: it is no time.
uint64_t microseconds(const std::string& text) {
  tm parts = {};
  const char* const rest = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr || *rest != '.') return 0;
  uint64_t fraction = 0;
  (void)std::from_chars(rest + 1, text.c_str() + text.size(), fraction);  // none: 0
  return static_cast<uint64_t>(timegm(&parts)) * 1'000'000 + fraction;
}

std::string plain(const std::string& escaped) {
  return unescape(escaped).value_or(escaped);
}

// The line that the keeper wrote of it (lib/events/event_line.h), so that there is one reader of both.
std::string line_of(const json& event, const char* begin) {
  std::string line = begin + text_of(event, "kind");
  constexpr std::pair<const char*, const char*> kParts[] = {
      {" ", "path"}, {": ", "use"}, {": ", "reason"}, {"; ", "digest"}};
  for (const auto& [before, name] : kParts) {
    const std::string text = text_of(event, name);
    if (!text.empty()) line.append(before).append(text);
  }
  return line + fmt::format("; pid {} uid {} event {} command {}", number_of(event, "pid"),
                            number_of(event, "uid"), text_of(event, "event"), text_of(event, "command"));
}

}  // namespace

bool add_event_object(Log& log, const json& event) {
  if (!event.is_object() || !event.contains("event")) return false;
  const uint64_t time_us = microseconds(text_of(event, "time"));
  if (const uint64_t lost = number_of(event, "lost"); lost > 0) log.not_logged.push_back({lost, time_us});
  const std::string verdict = text_of(event, "verdict");
  if (verdict == "allowed") return true;
  auto denial = parse_denial(line_of(event, verdict == "denied" ? "denied " : "would deny "));
  if (!denial) {
    log.not_understood.push_back({1, time_us});
    return true;
  }
  log.denials.push_back(
      {*std::move(denial), time_us, where_of([&](const char* name) { return text_of(event, name); })});
  return true;
}

bool add_event(Log& log, std::string_view line) {
  return add_event_object(log, json::parse(line, nullptr, false));
}

std::optional<LoggedDenial> read_fields(const std::vector<JournalField>& fields) {
  constexpr std::string_view kBegin = "DIGLIM_";
  json event = json::object();
  for (const auto& [key, value] : fields) {
    if (!key.starts_with(kBegin)) continue;
    std::string name = key.substr(kBegin.size());
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    uint64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    const bool is_number = error == std::errc() && end == value.data() + value.size();
    if ((name == "pid" || name == "uid") && is_number)
      event[name] = number;
    else
      event[name] = value;
  }
  Log log;
  if (!add_event_object(log, event) || log.denials.empty()) return std::nullopt;
  return std::move(log.denials.front());
}

Where where_of(const std::function<std::string(const char*)>& field) {
  return {plain(field("unit")), plain(field("container")), plain(field("cgroup"))};
}

std::string describe(const Where& where) {
  const std::string unit = where.unit.empty() ? "" : "the unit " + escape(where.unit);
  if (!where.container.empty())
    return "in the container " + escape(where.container) + (unit.empty() ? "" : ", " + unit);
  if (!unit.empty()) return "in " + unit;
  return where.cgroup.empty() || where.cgroup == "/" ? "" : "in the control group " + escape(where.cgroup);
}

}  // namespace diglim::explain
