// SPDX-License-Identifier: Apache-2.0
// What the command line tools have in common: exit statuses, messages, options (tools/options.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lib/base/exit_status.h"
#include "lib/base/result.h"
#include "tools/options.h"

namespace diglim {

constexpr std::string_view kVersionText = "DIGLIM " DIGLIM_VERSION;

// "NAME: message" on stderr. `name` is the tool.
void complain(std::string_view name, std::string_view message);

// The word as a shell reads it back, whatever bytes are in it, on one line: as it is, 'quoted', or $'\x0a'.
std::string shell_word(std::string_view word);

// mkdir, unless it is there; the folder above has to be. As in 2022, for -d.
Result<void> make_folder(const std::string& path);

}  // namespace diglim
