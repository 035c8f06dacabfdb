// SPDX-License-Identifier: Apache-2.0
// Colours for people: only where the output is a terminal, and neither $NO_COLOR is set nor $TERM is "dumb".
#pragma once

#include <string>
#include <string_view>

namespace diglim {

// For standard output: what is to be done.
std::string bold(std::string_view text);
// For standard output: each line of the text that begins with "to do" is bold.
std::string advice_bold(std::string_view text);
// Errors. `fd`: where it is written.
std::string red(std::string_view text, int fd);

}  // namespace diglim
