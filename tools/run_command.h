// SPDX-License-Identifier: Apache-2.0
// Runs another program, without a shell.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/base/file.h"
#include "lib/base/result.h"

namespace diglim {

struct CommandResult {
  int status = 0;  // exit status; 128+n when signal n ended it
  std::string
      output;  // standard output (and error, if asked for), at most 16 MiB; the rest is read and dropped
  std::string said;  // with kApart: standard error, at most 16 MiB
};

enum class Errors { kShow, kCapture, kHide, kApart };  // what becomes of its standard error

// The program is found through PATH; its standard input is empty, and `more` (NAME=VALUE) is in its
// environment alone. Waits for it. Errors: kNotFound (no such program), kIo.
Result<CommandResult> run_command(const std::vector<std::string>& words, Errors errors,
                                  const std::vector<std::string>& more = {});

// Runs a program that reads the file `in` from its beginning, and hands on what it writes, piece by piece; an
// error of `sink` ends the program, and is returned. The result's output is what it said on standard error,
// at most 4 KiB, in the language C. Errors as above.
Result<CommandResult> run_filter(const std::vector<std::string>& words, const Fd& in,
                                 const std::function<Result<void>(ByteView)>& sink);

}  // namespace diglim
