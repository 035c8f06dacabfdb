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

// Once, as fmt::print() does it; or as fputs() is called, whose result nobody looks at.
int print_and_end(std::size_t length, bool throws) {
  return run_with_output("program", [&] {
    const std::string text(length, 'x');
    if (fwrite(text.data(), 1, length, stdout) < length && throws)
      throw std::system_error(errno, std::system_category(), "cannot write to file");
    return static_cast<int>(kExitOk);
  });
}

// The last write, and one within run().
struct Way {
  std::size_t length;
  bool throws;
  const char* told;  // where the disk is full
};
constexpr Way kWays[] = {{1, true, "No space left on device"},
                         {1U << 20U, true, "No space left on device"},
                         {1U << 20U, false, "not all of it was written"}};

TEST(StandardOutputDeathTest, NobodyReadsIsNoFailure) {
  for (const Way& way : kWays) {
    EXPECT_EXIT(
        {
          lose_the_reader();
          exit(print_and_end(way.length, way.throws));
        },
        testing::KilledBySignal(SIGPIPE), "^$");
  }
}

TEST(StandardOutputDeathTest, AFullDiskIsTold) {
  for (const Way& way : kWays) {
    EXPECT_EXIT(
        {
          dup2(open("/dev/full", O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
          exit(print_and_end(way.length, way.throws));
        },
        testing::ExitedWithCode(kExitEnvironment), std::string("^program: .*") + way.told + "\n$");
  }
}

}  // namespace
}  // namespace diglim
