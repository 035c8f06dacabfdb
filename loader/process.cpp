// SPDX-License-Identifier: Apache-2.0
#include "loader/process.h"

#include <cstdlib>

#include "lib/base/file.h"
#include "lib/base/text.h"

namespace diglim {

std::optional<pid_t> find_process(const std::string& name, const std::string& line) {
  const std::string first = "Name:\t" + name + "\n";
  const std::string other = "\n" + line + "\n";
  const auto processes = list_folder("/proc");
  if (!processes) return std::nullopt;
  for (const std::string& process : *processes) {
    if (process.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto status = read_stream("/proc/" + process + "/status", 1 << 16);
    if (status && as_text(*status).starts_with(first) &&
        as_text(*status).find(other) != std::string_view::npos)
      return static_cast<pid_t>(std::strtol(process.c_str(), nullptr, 10));
  }
  return std::nullopt;
}

}  // namespace diglim
