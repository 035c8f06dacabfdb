// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/audit/state_file.h"

#include <fmt/format.h>

#include "lib/base/text.h"

namespace diglim::audit {
namespace {

using nlohmann::json;

class Lines {
 public:
  void put(std::string_view key, std::string_view value) {
    const std::string text = escape(value, 500);
    text_ += fmt::format("{} = {}\n", key, text);
    json_[std::string(key)] = text;
  }
  void put(std::string_view key, uint64_t value) {
    put(key, std::to_string(value));
    json_[std::string(key)] = value;
  }
  void put_time(std::string_view key, uint64_t seconds) {
    if (seconds > 0) put(key, iso_time(seconds));
  }
  const std::string& text() const { return text_; }
  const nlohmann::ordered_json& json() const { return json_; }

 private:
  std::string text_ = "# written by diglim state; see diglim-state(1)\n";
  nlohmann::ordered_json json_ = nlohmann::ordered_json::object();
};

// Not the reason: whoever begins it writes it, and the state is for everybody.
void put_monitor(const json& monitor, Lines& lines) {
  if (!monitor.is_object()) return;  // a loader that does not know it
  lines.put("monitor_allowed", text(monitor, "allowed"));
  lines.put("monitor_seconds_left", number(monitor, "left"));
  lines.put("monitor_times", number(monitor, "times"));
}

void put_status(const Facts& facts, Lines& lines) {
  const json& status = facts.status;
  lines.put("measuring", truth(status, "measuring") ? "yes" : "no");
  put_monitor(member(status, "monitor"), lines);
  lines.put("generation", number(status, "generation"));
  lines.put_time("loaded_at", number(status, "loaded_at"));
  lines.put("digests", number(status, "digests"));
  lines.put("lists", count(status, "lists"));
  lines.put("keys", count(status, "keys"));
  lines.put("unusable_keys", count(status, "unusable_keys") + count(status, "left_out_keys"));
  const json& events = member(status, "events");
  lines.put("denied", number(events, "denied"));
  lines.put("not_logged", not_logged(facts));
  lines.put("keeper_restarts", number(events, "keeper_restarts"));
  const std::string fault = text(events, "log_fault");
  lines.put("log", fault.empty() ? "ok" : "fault");
  if (!fault.empty()) lines.put("log_fault", fault);
}

void put_exceptions(const Facts& facts, Lines& lines) {
  const ExceptionCounts counts = count_exceptions(facts);
  lines.put("exceptions", counts.all);
  lines.put("exceptions_without_owner", counts.without_owner);
  lines.put("exceptions_without_reason", counts.without_reason);
  lines.put("exceptions_without_end", counts.without_end);
  lines.put("exceptions_over", counts.over);
  lines.put("exceptions_older_than_a_year", counts.old);
  lines.put("exceptions_damaged", counts.damaged);
  lines.put_time("exceptions_next_end", counts.next_end);
}

Lines lines_of(const Facts& facts) {
  Lines lines;
  lines.put("format", 1);
  lines.put("version", facts.version);
  lines.put_time("written_at", facts.clock.now);
  lines.put("written_at_s", facts.clock.now);
  lines.put("boot_id", facts.clock.boot_id);
  lines.put("kernel", facts.kernel);
  lines.put("mode", facts.mode);
  // The mode is a constant of the programs, so it is as old as the boot; but for monitor mode.
  if (facts.is_active() && facts.mode != "monitor") lines.put_time("since", facts.booted_at);
  if (facts.is_active())
    put_status(facts, lines);
  else
    lines.put("fault", facts.fault);
  if (facts.exceptions_fault.empty())
    put_exceptions(facts, lines);
  else
    lines.put("exceptions_fault", facts.exceptions_fault);
  if (facts.last) {
    lines.put_time("last_denial_at", facts.last->at);
    lines.put("last_denial", facts.last->reason);
  }
  return lines;
}

}  // namespace

std::string state_text(const Facts& facts) {
  return lines_of(facts).text();
}

std::string state_json(const Facts& facts) {
  return lines_of(facts).json().dump() + "\n";  // each value is escaped, so it is UTF-8
}

}  // namespace diglim::audit
