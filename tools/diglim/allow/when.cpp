// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/allow/when.h"

#include <charconv>
#include <ctime>

#include "lib/base/file.h"
#include "lib/base/text.h"

namespace diglim::allow {
namespace {

constexpr uint64_t kMaxSeconds = 100ull * 365 * 24 * 3600;

uint64_t unit_seconds(char unit) {
  switch (unit) {
    case 's':
      return 1;
    case 'm':
      return 60;
    case 'h':
      return 3600;
    case 'd':
      return 86400;
    case 'w':
      return 7 * 86400;
    default:
      return 0;
  }
}

uint64_t seconds_of(clockid_t clock) {
  timespec now = {};
  (void)clock_gettime(clock, &now);  // cannot fail with these clocks
  return static_cast<uint64_t>(now.tv_sec);
}

// In local time, whose days may have 23 or 25 hours.
uint64_t begin_of_day(uint64_t now, int days_before) {
  const auto when = static_cast<time_t>(now);
  tm parts = {};
  if (localtime_r(&when, &parts) == nullptr) return 0;
  parts.tm_mday -= days_before;
  parts.tm_hour = parts.tm_min = parts.tm_sec = 0;
  parts.tm_isdst = -1;
  const time_t begin = mktime(&parts);
  return begin < 0 ? 0 : static_cast<uint64_t>(begin);
}

}  // namespace

Clock read_clock() {
  Clock clock{seconds_of(CLOCK_REALTIME), "", seconds_of(CLOCK_BOOTTIME)};
  if (const auto id = read_stream("/proc/sys/kernel/random/boot_id", 100)) clock.boot_id = trim(as_text(*id));
  return clock;
}

Result<uint64_t> parse_duration(std::string_view text) {
  const Error bad = invalid("no duration: " + escape(text, 50) + "; say 30m, 8h, 7d or 2w");
  uint64_t sum = 0;
  if (text.empty()) return bad;
  while (!text.empty()) {
    uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || number > kMaxSeconds) return bad;
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    const uint64_t unit = text.empty() ? 1 : unit_seconds(text.front());
    if (unit == 0) return bad;
    sum += number * unit;
    if (sum > kMaxSeconds) return bad;
    if (!text.empty()) text.remove_prefix(1);
  }
  if (sum == 0) return bad;
  return sum;
}

Result<uint64_t> parse_moment(const std::string& text, bool end_of_day) {
  for (const char* format : {"%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"}) {
    tm parts = {};
    const char* end = strptime(text.c_str(), format, &parts);
    if (end == nullptr || *end != '\0') continue;
    if (end_of_day && std::string_view(format).size() == 8)
      parts.tm_hour = 23, parts.tm_min = 59, parts.tm_sec = 59;
    const tm wanted = parts;
    parts.tm_isdst = -1;
    const time_t when = mktime(&parts);
    if (when < 0 || parts.tm_mday != wanted.tm_mday) break;  // mktime makes March of February 30
    return static_cast<uint64_t>(when);
  }
  return invalid("no date: " + escape(text, 50) + "; say 2026-12-31, or 2026-12-31 18:00");
}

Result<uint64_t> parse_date(const std::string& text, const Clock& clock) {
  TRY_ASSIGN(const uint64_t when, parse_moment(text, true));
  if (when <= clock.now) return invalid(escape(text, 50) + " is over");
  return when;
}

End end_after(uint64_t seconds, const Clock& clock) {
  return {clock.now + seconds, clock.boot_id, clock.boot_id.empty() ? 0 : clock.since_boot + seconds};
}

bool is_over(const End& end, const Clock& clock) {
  if (end.until == 0) return false;
  if (clock.now >= end.until) return true;
  return !end.boot_id.empty() && end.boot_id == clock.boot_id && clock.since_boot >= end.since_boot;
}

Result<uint64_t> parse_since(const std::string& text, const Clock& clock) {
  if (const auto seconds = parse_duration(text)) return clock.now > *seconds ? clock.now - *seconds : 0;
  if (text == "today") return begin_of_day(clock.now, 0);
  if (text == "yesterday") return begin_of_day(clock.now, 1);
  auto moment = parse_moment(text, false);
  if (!moment) return invalid(moment.error().message + ", today, yesterday, or how long ago: 7d");
  return moment;
}

std::string end_text(const End& end) {
  return end.until == 0 ? "without an end" : "until " + time_text(end.until);
}

std::string time_text(uint64_t seconds) {
  if (seconds == 0) return "never";
  const auto when = static_cast<time_t>(seconds);
  tm parts = {};
  char text[32] = "?";
  if (localtime_r(&when, &parts) != nullptr) (void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts);
  return text;
}

}  // namespace diglim::allow
