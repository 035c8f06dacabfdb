// SPDX-License-Identifier: Apache-2.0
// What a check found.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace diglim::doctor {

enum class Level {
  kOk,
  kWarn,     // works, but weaker than it could be
  kFail,     // something would be denied, or DIGLIM cannot run
  kUnknown,  // could not be checked
};
std::string_view level_name(Level level);  // "ok", "warn", "fail", "unknown"

struct Finding {
  std::string id;  // "kernel.lsm"; never changes, for scripts
  Level level = Level::kUnknown;
  std::string what;                // one line, printable
  std::string next;                // what to do about it, one line; empty if nothing
  std::vector<std::string> items;  // what it is about (packages, files), printable; may be cut, see `count`
  size_t count = 0;                // of items, before they were cut
};

using Findings = std::vector<Finding>;

}  // namespace diglim::doctor
