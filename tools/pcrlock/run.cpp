// SPDX-License-Identifier: Apache-2.0
#include "tools/pcrlock/run.h"

#include <unistd.h>

#include "lib/base/text.h"
#include "tools/tool.h"

namespace diglim::pcrlock {

void say(std::string_view message) {
  complain(kTool, message);
}

std::string systemd_pcrlock() {
  for (const char* const path : {"/usr/lib/systemd/systemd-pcrlock", "/lib/systemd/systemd-pcrlock"}) {
    if (access(path, X_OK) == 0) return path;
  }
  return {};
}

Result<CommandResult> run_pcrlock(std::vector<std::string> words, const std::vector<std::string>& more) {
  words.insert(words.begin(), systemd_pcrlock());
  return run_command(words, Errors::kApart, more);
}

std::string last_line(std::string_view said) {
  said = trim(said);
  return escape(said.substr(said.rfind('\n') + 1));
}

std::optional<std::string> failure(const Result<CommandResult>& done) {
  if (!done) return done.error().message;
  return done->status == 0 ? std::nullopt : std::optional(last_line(done->said));
}

}  // namespace diglim::pcrlock
