// SPDX-License-Identifier: Apache-2.0
#include "lib/installed/publisher.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

namespace diglim {
namespace {

class PublisherTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string path = testing::TempDir() + "publisher.XXXXXX";
    ASSERT_NE(mkdtemp(path.data()), nullptr);
    folder_ = path;
  }
  void TearDown() override {
    ASSERT_EQ(system(("rm -rf '" + folder_ + "'").c_str()), 0);
  }  // NOLINT: our own name

  // A loader that writes its arguments to $folder/calls, then does `what`.
  std::string loader(const std::string& what) {
    const std::string path = folder_ + "/loader";
    std::ofstream(path) << "#!/bin/sh\necho \"$@\" >>'" << folder_ << "/calls'\n" << what << "\n";
    EXPECT_EQ(chmod(path.c_str(), 0755), 0);
    return path;
  }
  std::string calls() const {
    std::ifstream file(folder_ + "/calls");
    return {std::istreambuf_iterator<char>(file), {}};
  }
  int fd() {
    folder_fd_ = Fd(open(folder_.c_str(), O_RDONLY | O_DIRECTORY));
    return folder_fd_.get();
  }

  std::string folder_;
  Fd folder_fd_;
  const std::string kUntilFolderGoes = "while [ -e \"$0\" ]; do sleep 0.1; done";
};

TEST_F(PublisherTest, TellsExitStatusesApart) {
  Publisher ok(loader("exit 0"), 5000);
  EXPECT_EQ(ok.sync(fd(), "/mnt/a b", Publisher::Gone::kKeep).kind, LoaderResult::Kind::kOk);
  EXPECT_EQ(calls(), "sync --keep --root=/mnt/a b .\n");
  Publisher rejected(loader("echo one >&2; echo not this; echo 'two\tthree' >&2; exit 1"), 5000);
  const LoaderResult result = rejected.sync(fd(), "", Publisher::Gone::kWithdraw);
  EXPECT_EQ(result.kind, LoaderResult::Kind::kRejected);
  EXPECT_EQ(result.lines, (std::vector<std::string>{"one", "two\\tthree"}));
  EXPECT_EQ(Publisher(loader("exit 3"), 5000).sync(fd(), "", Publisher::Gone::kWithdraw).kind,
            LoaderResult::Kind::kFailed);
  const LoaderResult killed =
      Publisher(loader("kill -9 $$"), 5000).sync(fd(), "", Publisher::Gone::kWithdraw);
  EXPECT_EQ(killed.kind, LoaderResult::Kind::kFailed);
  EXPECT_NE(killed.lines.back().find("killed by signal 9"), std::string::npos);
  const LoaderResult missing = Publisher(folder_ + "/none", 5000).sync(fd(), "", Publisher::Gone::kWithdraw);
  EXPECT_EQ(missing.kind, LoaderResult::Kind::kFailed);
  EXPECT_NE(missing.lines.back().find("cannot be executed"), std::string::npos);
}

TEST_F(PublisherTest, LoaderIsOutOfTheTerminalsReach) {
  // The sixth field is the session, which its leader gives its own number.
  Publisher publisher(loader("[ \"$(cut -d ' ' -f 6 /proc/$$/stat)\" = $$ ]"), 5000);
  EXPECT_EQ(publisher.sync(fd(), "", Publisher::Gone::kWithdraw).kind, LoaderResult::Kind::kOk);
}

TEST_F(PublisherTest, WaitsNoLongerThanItsBudgetInAll) {
  Publisher publisher(loader(kUntilFolderGoes), 400);
  EXPECT_EQ(publisher.sync(fd(), "", Publisher::Gone::kWithdraw).kind, LoaderResult::Kind::kTimeout);
  EXPECT_EQ(publisher.sync(fd(), "", Publisher::Gone::kWithdraw).kind, LoaderResult::Kind::kTimeout);
  // It goes on, and on a busy machine has hardly begun.
  while (calls().empty()) usleep(10'000);
  EXPECT_EQ(calls(), "sync .\n") << "the second was not even tried";
}

TEST_F(PublisherTest, DoesNotWaitForWhoKeepsStandardErrorOpen) {
  Publisher publisher(loader(kUntilFolderGoes + " & exit 0"), 30'000);
  EXPECT_EQ(publisher.sync(fd(), "", Publisher::Gone::kWithdraw).kind, LoaderResult::Kind::kOk);
}

TEST_F(PublisherTest, IsActiveWhenTheLoaderSaysSo) {
  EXPECT_TRUE(Publisher(loader("[ $1 = status ]"), 5000).is_active());
  EXPECT_FALSE(Publisher(loader("exit 3"), 5000).is_active());
  EXPECT_FALSE(Publisher(folder_ + "/none", 5000).is_active());
}

}  // namespace
}  // namespace diglim
