// SPDX-License-Identifier: Apache-2.0
// What the command line tools have in common: exit statuses, messages, options.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace diglim {

// Exit statuses of every tool.
constexpr int kExitOk = 0;
constexpr int kExitRejected =
    1;  // the input is at fault: a file that cannot be read, an unsigned package; it differs
constexpr int kExitUsage = 2;        // the command line is
constexpr int kExitEnvironment = 3;  // the system is: a folder that cannot be written, a full disk

constexpr std::string_view kVersionText = "DIGLIM " DIGLIM_VERSION;

// "NAME: message" on stderr. `name` is the tool.
void complain(std::string_view name, std::string_view message);

// The word as a shell reads it back, whatever bytes are in it, on one line: as it is, 'quoted', or $'\x0a'.
std::string shell_word(std::string_view word);

// mkdir, unless it is there; the folder above has to be. As in 2022, for -d.
Result<void> make_folder(const std::string& path);

// Parses; on failure, --help and --version prints and gives the exit status, otherwise nothing.
std::optional<int> parse_options(CLI::App& app, int argc, char** argv);

}  // namespace diglim
