// SPDX-License-Identifier: Apache-2.0
// The subcommands of `diglim attest`: each adds itself to the app and sets `run`, which main calls if it was
// asked for.
#pragma once

#include <functional>

#include "tools/diglim/measure/options.h"

namespace diglim {

using Subcommands = std::vector<std::pair<CLI::App*, std::function<int()>>>;

void add_enroll_commands(CLI::App& app, Subcommands& commands);
void add_quote_command(CLI::App& app, Subcommands& commands);
void add_verify_commands(CLI::App& app, Subcommands& commands);
void add_policy_commands(CLI::App& app, Subcommands& commands);

}  // namespace diglim
