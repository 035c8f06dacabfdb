// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/explain/holders.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "lib/base/file.h"

namespace diglim::explain {
namespace {

bool has(const std::vector<Holder>& holders, pid_t pid) {
  return std::ranges::any_of(holders,
                             [&](const Holder& one) { return one.pid == static_cast<uint32_t>(pid); });
}

// A child that has the file open as `flags` say, and mapped executable if `map`; it waits until it is killed.
class Child {
 public:
  Child(const std::string& path, int flags, bool map) {
    int ends[2];
    if (pipe(ends) != 0) abort();
    pid_ = fork();
    if (pid_ == 0) {
      const int fd = open(path.c_str(), flags);
      if (map) (void)mmap(nullptr, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
      (void)!write(ends[1], "x", 1);
      for (;;) pause();
    }
    char ready = 0;
    (void)!read(ends[0], &ready, 1);
    close(ends[0]);
    close(ends[1]);
  }
  ~Child() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
};

TEST(Holders, WritersAndMappers) {
  std::string path = testing::TempDir() + "diglim_holders_XXXXXX";
  struct stat info = {};
  {
    const Fd file(mkstemp(path.data()));  // closed before there are children, which would have it, too
    ASSERT_EQ(write(file.get(), "x", 1), 1);
    ASSERT_EQ(fstat(file.get(), &info), 0);
  }
  {
    const Child writer(path, O_WRONLY, false);
    const Child reader(path, O_RDONLY, false);
    const Child mapper(path, O_RDONLY, true);
    Holders holders;
    const auto writers = holders.writers(info);
    EXPECT_TRUE(has(writers, writer.pid()));
    EXPECT_FALSE(has(writers, reader.pid()));
    EXPECT_FALSE(has(writers, getpid()));
    const auto mappers = holders.mappers(info);
    EXPECT_TRUE(has(mappers, mapper.pid()));
    EXPECT_FALSE(has(mappers, writer.pid()));
    const Child later(path, O_WRONLY, false);
    EXPECT_FALSE(
        has(holders.writers(info), later.pid()));  // /proc is read once, however many files there are
    EXPECT_TRUE(has(Holders().writers(info), later.pid()));
  }
  unlink(path.c_str());
}

}  // namespace
}  // namespace diglim::explain
