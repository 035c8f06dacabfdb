// SPDX-License-Identifier: Apache-2.0
// A denial as the kernel log has it, read back (event_line.h writes it).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bpf/abi.h"
#include "lib/crypto/hash.h"

namespace diglim {

struct Denial {
  bool enforced = true;   // false: it would have been denied, and went on
  std::string what;       // "exec", "mmap", "mprotect", "write", "load"; of a guard what was tried, in words
  std::string path;       // as it is, not escaped; empty: there is none
  bool path_cut = false;  // a part of it is missing: its beginning, or its middle, where `path` has "..."
  bool begin_missing = false;
  std::string use;  // of "load": "module", "firmware", ...
  diglim_reason reason = DIGLIM_REASON_UNKNOWN;
  std::string detail;  // what stands in the reason's "{}", escaped
  std::optional<HashAlgo> algo;
  Bytes digest;  // empty: there was none
  uint32_t pid = 0;
  uint32_t uid = 0;
  std::string event;    // its id (event_id.h); empty: an older version wrote the line
  uint64_t lost = 0;    // denials before it that have no line, as far as no other line said so
  std::string command;  // not escaped
};

// `line` begins with "denied " or "would deny ", or with "diglim: " and these, as dmesg, journalctl and
// syslog print it: after "[   12.345678] ", or after a time, the host's name and perhaps "kernel: ". Nothing
// else may stand before "diglim: ": other lines of the kernel's have text of users in them. It is read from
// its end on: the reason and what follows it are DIGLIM's words, so that no path and no command can pass for
// them. Nothing: it is not such a line, it was cut, or another version wrote it.
std::optional<Denial> parse_denial(std::string_view line);

// What follows that origin and "diglim: "; nothing if the line has another.
std::optional<std::string_view> without_origin(std::string_view line);

// The path, with "..." where a part is missing; `what` if there is none. Not escaped.
std::string name_of(const Denial& denial);

}  // namespace diglim
