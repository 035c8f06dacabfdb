// SPDX-License-Identifier: Apache-2.0
// What `state`, `metrics` and `evidence` tell of, read once. No text here is fit for a terminal unless it
// says so: each form escapes in its own way.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/diglim/allow/store.h"

namespace diglim::audit {

struct Source {
  std::string root;    // without a slash at its end; "" is this system
  std::string loader;  // a program in place of diglim-loader; empty: the one of this boot
};

struct LastDenial {
  uint64_t at = 0;     // seconds since 1970; 0: not known
  std::string reason;  // DIGLIM's own words. Neither path nor command: the state is for everybody
};

struct Facts {
  std::string version;
  std::string kernel;
  allow::Clock clock;      // of this system, now
  uint64_t booted_at = 0;  // seconds since 1970
  bool bpf_stats_since_boot = false;
  nlohmann::json status;  // of `diglim-loader status --json`: an object, or null
  std::string mode;       // of mode_of(); "inactive"; "unknown"
  std::string fault;      // why status is null, printable
  std::vector<allow::Exception> exceptions;
  std::vector<std::string> damaged;  // exceptions without a readable record, by list
  std::string exceptions_fault;      // why they are not known, printable; empty: they are
  std::optional<LastDenial> last;    // read_facts() leaves it out

  bool is_active() const { return status.is_object(); }
};

// Of another root only what files tell: its kernel is not asked, unless there is a program to ask.
Facts read_facts(const Source& source);

// Members of JSON that another program wrote: 0, "" or null if there is none of that type.
uint64_t number(const nlohmann::json& from, std::string_view name);
std::string text(const nlohmann::json& from, std::string_view name);
bool truth(const nlohmann::json& from, std::string_view name);
uint64_t count(const nlohmann::json& from, std::string_view name);  // of an array's members
const nlohmann::json& member(const nlohmann::json& from, std::string_view name);

// "enforce", "permissive", "measure", as the status of a loader has it; "monitor" while one that enforces
// lets what is unknown run (diglim monitor); "unknown".
std::string mode_of(const nlohmann::json& status);

// Denials without a line in the log, for whatever cause.
uint64_t not_logged(const Facts& facts);

// Exceptions, as auditors count them. `over`: their time is over, and they are still there.
struct ExceptionCounts {
  uint64_t all = 0;
  uint64_t without_owner = 0;
  uint64_t without_reason = 0;
  uint64_t without_end = 0;
  uint64_t over = 0;
  uint64_t old = 0;  // made more than a year ago
  uint64_t damaged = 0;
  uint64_t next_end = 0;  // of those that are not over; seconds since 1970; 0: none ends
};
ExceptionCounts count_exceptions(const Facts& facts);

std::string iso_time(uint64_t seconds);  // "2026-12-01T18:00:00Z"; "" for 0

}  // namespace diglim::audit
