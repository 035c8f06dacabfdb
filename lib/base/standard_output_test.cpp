// SPDX-License-Identifier: Apache-2.0
#include "lib/base/standard_output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <system_error>

#include "lib/base/exit_status.h"

namespace diglim {
namespace {

// As a unit of systemd has it.
void lose_the_reader() {
  int ends[2];
  if (pipe(ends) != 0) abort();
  close(ends[0]);
  dup2(ends[1], STDOUT_FILENO);
  (void)std::signal(SIGPIPE, SIG_IGN);
}

int print_and_end(std::size_t length) {
  return run_with_output("program", [&] {
    // As fmt::print() does it.
    const std::string text(length, 'x');
    if (fwrite(text.data(), 1, length, stdout) < length)
      throw std::system_error(errno, std::system_category(), "cannot write to file");
    return static_cast<int>(kExitOk);
  });
}

TEST(StandardOutputDeathTest, NobodyReadsIsNoFailure) {
  // The last write, and one within run().
  for (const std::size_t length : {1U, 1U << 20U}) {
    EXPECT_EXIT(
        {
          lose_the_reader();
          exit(print_and_end(length));
        },
        testing::KilledBySignal(SIGPIPE), "^$");
  }
}

TEST(StandardOutputDeathTest, AFullDiskIsTold) {
  for (const std::size_t length : {1U, 1U << 20U}) {
    EXPECT_EXIT(
        {
          dup2(open("/dev/full", O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
          exit(print_and_end(length));
        },
        testing::ExitedWithCode(kExitEnvironment), "^program: .*No space left on device\n$");
  }
}

}  // namespace
}  // namespace diglim
