// SPDX-License-Identifier: Apache-2.0
#include "lib/base/standard_output.h"

#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>

#include "lib/base/error.h"
#include "lib/base/exit_status.h"

namespace diglim {
namespace {

int fail(std::string_view name, const std::string& why) {
  (void)fputs((std::string(name) + ": " + why + "\n").c_str(), stderr);
  return kExitEnvironment;
}

}  // namespace

int run_with_output(std::string_view name, const std::function<int()>& run) {
  int status = kExitOk;
  try {
    status = run();
  } catch (const std::system_error& error) {  // of fmt::print(), when the buffer is full
    return fail(name, error.what());
  }
  errno = 0;
  const bool failed = fflush(stdout) != 0;
  const int number = errno;
  if (!failed && ferror(stdout) == 0) return status;
  // Of an earlier failure the number is gone.
  const int lost = fail(name, failed ? from_errno("write to standard output", number).message
                                     : "write to standard output: not all of it was written");
  return status == kExitOk ? lost : status;
}

}  // namespace diglim
