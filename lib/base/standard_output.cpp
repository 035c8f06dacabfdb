// SPDX-License-Identifier: Apache-2.0
#include "lib/base/standard_output.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
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

// A pipe's reader that has seen enough, such as head, is no failure, and a terminal's user hears nothing of
// it: SIGPIPE ends the program. Units of systemd and children of Python inherit SIGPIPE ignored. Not where
// the output is a socket: there a journal that starts again must not end a service as if all were well.
void end_for_lack_of_a_reader() {
  struct stat output {};
  pollfd pipe = {STDOUT_FILENO, 0, 0};
  if (fstat(STDOUT_FILENO, &output) != 0 || !S_ISFIFO(output.st_mode)) return;
  if (poll(&pipe, 1, 0) != 1 || (pipe.revents & POLLERR) == 0) return;
  (void)std::signal(SIGPIPE, SIG_DFL);
  (void)std::raise(SIGPIPE);
}

}  // namespace

int run_with_output(std::string_view name, const std::function<int()>& run) {
  int status = kExitOk;
  try {
    status = run();
  } catch (const std::system_error& error) {  // of fmt::print(), when the buffer is full
    end_for_lack_of_a_reader();
    return fail(name, error.what());
  }
  errno = 0;
  const bool failed = fflush(stdout) != 0;
  const int number = errno;
  if (!failed && ferror(stdout) == 0) return status;
  end_for_lack_of_a_reader();
  // Of an earlier failure the number is gone.
  const int lost = fail(name, failed ? from_errno("write to standard output", number).message
                                     : "write to standard output: not all of it was written");
  return status == kExitOk ? lost : status;
}

}  // namespace diglim
