// SPDX-License-Identifier: Apache-2.0
// What each part needs to run systemd-pcrlock(8), and to say what became of it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/run_command.h"

namespace diglim::pcrlock {

constexpr std::string_view kTool = "pcrlock";
void say(std::string_view message);  // to the journal, or to who runs this

std::string systemd_pcrlock();  // its path; empty: it is not installed
// What it says on standard error is apart. `more` as for run_command().
Result<CommandResult> run_pcrlock(std::vector<std::string> words, const std::vector<std::string>& more = {});
std::string last_line(std::string_view said);
// Why it failed, in one line; nothing if it did not.
std::optional<std::string> failure(const Result<CommandResult>& done);

}  // namespace diglim::pcrlock
