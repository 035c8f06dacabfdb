// SPDX-License-Identifier: Apache-2.0
// What a program printed may still lie in a buffer when main() ends, and nobody looks at what becomes of it
// then.
#pragma once

#include <functional>
#include <string_view>

namespace diglim {

// What main() is: run(), whose exit status stands if all that was printed arrived. If not, says so on stderr,
// and makes of success kExitEnvironment. If nobody reads the pipe on standard output any more, SIGPIPE ends
// the process in silence, also where it inherited that signal ignored. `name`: of the program.
int run_with_output(std::string_view name, const std::function<int()>& run);

}  // namespace diglim
