// SPDX-License-Identifier: Apache-2.0
// A denial as the kernel log has it, read back (loader/event_line.h writes it).
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
  bool path_cut = false;  // its beginning is missing
  std::string use;        // of "load": "module", "firmware", ...
  diglim_reason reason = DIGLIM_REASON_UNKNOWN;
  std::string detail;  // what stands in the reason's "{}", escaped
  std::optional<HashAlgo> algo;
  Bytes digest;  // empty: there was none
  uint32_t pid = 0;
  uint32_t uid = 0;
  std::string command;  // not escaped
};

// `line`: anything that has "denied " or "would deny " at its begin or after "diglim: ", as the kernel log,
// journalctl and dmesg print it. It is read from its end on: the reason and what follows it are DIGLIM's
// words, so that no path and no command can pass for them. Nothing: it is not such a line, it was cut, or
// another version wrote it.
std::optional<Denial> parse_denial(std::string_view line);

}  // namespace diglim
