// SPDX-License-Identifier: Apache-2.0
// How long an exception counts. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace diglim::allow {

// What time it is.
struct Clock {
  uint64_t now = 0;         // seconds since 1970
  std::string boot_id;      // of /proc/sys/kernel/random/boot_id
  uint64_t since_boot = 0;  // seconds, also while suspended
};
Clock read_clock();

// When an exception ends. With --for the time since the boot counts, too: then setting the clock back does
// not prolong it as long as the machine runs.
struct End {
  uint64_t until = 0;       // seconds since 1970; 0: never
  std::string boot_id;      // empty: only `until` counts
  uint64_t since_boot = 0;  // in that boot
};

// "8h", "90m", "1d12h", "45" (seconds); units s, m, h, d, w. kInvalid: none of these, nothing, or more than a
// century.
Result<uint64_t> parse_duration(std::string_view text);
// "2026-12-01", its first second or its last, "2026-12-01 18:00", "2026-12-01 18:00:30", in local time:
// seconds since 1970. kInvalid.
Result<uint64_t> parse_moment(const std::string& text, bool end_of_day);
// The same, which is not over yet: "2026-12-01", which ends with that day, "2026-12-01 18:00", "2026-12-01
// 18:00:30", in local time. kInvalid: none of these, no such time, or one that is over.
Result<uint64_t> parse_date(const std::string& text, const Clock& clock);
// A moment in the past: as parse_moment(), "today" and "yesterday" (their beginning), or how long ago ("7d").
// kInvalid.
Result<uint64_t> parse_since(const std::string& text, const Clock& clock);

End end_after(uint64_t seconds, const Clock& clock);
bool is_over(const End& end, const Clock& clock);

std::string end_text(const End& end);     // "until" and its time, or "without an end"
std::string time_text(uint64_t seconds);  // local time; "never" for 0

}  // namespace diglim::allow
