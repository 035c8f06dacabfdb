// SPDX-License-Identifier: Apache-2.0
// The subcommands of `diglim attest`: each adds itself to the app and sets `run`, which main calls if it was
// asked for.
#pragma once

#include <functional>

#include "tools/diglim/measure/options.h"

namespace diglim {

using Subcommands = std::vector<std::pair<OptionParser*, std::function<int()>>>;

void add_enroll_commands(OptionParser& app, Subcommands& commands);
void add_quote_command(OptionParser& app, Subcommands& commands);
void add_verify_commands(OptionParser& app, Subcommands& commands);
void add_policy_commands(OptionParser& app, Subcommands& commands);
void add_keylime_command(OptionParser& app, Subcommands& commands);

}  // namespace diglim
