// SPDX-License-Identifier: Apache-2.0
// Runs another program, without a shell.
#pragma once

#include <string>
#include <vector>

#include "lib/base/result.h"

namespace diglim {

struct CommandResult {
  int status = 0;  // exit status; 128+n when signal n ended it
  std::string
      output;  // standard output (and error, if asked for), at most 16 MiB; the rest is read and dropped
};

enum class Errors { kShow, kCapture, kHide };  // what becomes of its standard error

// The program is found through PATH; its standard input is empty. Waits for it. Errors: kNotFound (no such
// program), kIo.
Result<CommandResult> run_command(const std::vector<std::string>& words, Errors errors);

}  // namespace diglim
