// SPDX-License-Identifier: Apache-2.0
// Monitor, then enforce: how long a permissive host has been without anything that enforcing would have
// denied. What is not proved does not count.
//
// A day is 24 hours in which DIGLIM ran and was watched, by the kernel's clock since the boot: a clock that
// is set changes nothing, and what a host was switched off counts nothing. Besides the days a boot has to be
// among them, from its start on, since it is a boot that will enforce.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace diglim::setup {

constexpr const char* kWatchPath = "/var/lib/diglim/enforce-when-clean.json";
constexpr unsigned kMaxCleanDays = 3650;

struct CleanWatch {
  unsigned days = 0;       // that are wanted
  bool lockdown = false;   // as setup was told
  bool switched = false;   // the next boot enforces
  bool switching = false;  // it may: a look began to switch it, and ended before it was done
  // As of the last look.
  std::string boot;           // id; empty: nobody looked yet
  uint64_t boot_seconds = 0;  // CLOCK_BOOTTIME
  uint64_t denied = 0;        // in that boot
  std::string cursor;         // of the journal
  // Since the last thing that set it back.
  uint64_t clean_seconds = 0;
  unsigned boots = 0;    // of which the start was seen
  std::string set_back;  // why it began anew, printable; empty: it did not
};

// What the journal has since the last look.
struct JournalSince {
  std::string fault;     // why it proves nothing; empty: it goes on from where the last look ended
  uint64_t denials = 0;  // that would have been, and those of which it says that it has no line
  std::string cursor;    // where it ends
};

struct Look {
  std::string mode;
  std::string boot;
  uint64_t boot_seconds = 0;
  uint64_t denied = 0;  // since the boot, by the kernel's own count, those without a line too
  std::string fault;    // what keeps the log from being written; empty: nothing
};

// From `diglim-loader status --json`. kCorrupt.
Result<Look> read_look(std::string_view status);

// The watch after a look. `look`: nothing if DIGLIM is not active or could not be asked.
CleanWatch after_look(CleanWatch watch, const std::optional<Look>& look, const JournalSince& journal);

bool is_clean(const CleanWatch& watch);

// "enforces after 3 more clean days and a reboot; set back: ...". `boot`: of now; empty: not known.
std::string describe(const CleanWatch& watch, std::string_view boot);

// kCorrupt; nothing if there is none.
Result<std::optional<CleanWatch>> load_watch(const std::string& path);
Result<void> save_watch(const std::string& path, const CleanWatch& watch);

}  // namespace diglim::setup
