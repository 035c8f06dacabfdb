// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/explain/open.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace diglim::explain {
namespace {

namespace fs = std::filesystem;

class Open : public testing::Test {
 protected:
  Open() {
    if (mkdtemp(root_.data()) == nullptr) abort();
    fs::create_directories(root_ + "/usr/bin");
    fs::permissions(root_, fs::perms(0755));
    std::ofstream(root_ + "/usr/bin/x") << "x";
    fs::create_symlink("/usr/bin/x", root_ + "/usr/bin/link");
    fs::create_directory_symlink("usr/bin", root_ + "/bin");
  }
  ~Open() override { fs::remove_all(root_); }
  ErrorCode fault(const std::string& path) {
    const auto named = find_named(root_, path);
    return named ? ErrorCode::kInvalid : named.error().code;
  }
  bool only_root() { return find_named(root_, "/usr/bin/x")->only_root; }

  std::string root_ = testing::TempDir() + "diglim_open_XXXXXX";
};

TEST_F(Open, ALinkAtAPathOfTheLogIsNotFollowed) {
  const auto named = find_named(root_, "/usr/bin/x");
  ASSERT_TRUE(named);
  ASSERT_TRUE(open_named(*named, "x"));
  EXPECT_EQ(fault("/usr/bin/link"), ErrorCode::kNotFound);
  EXPECT_EQ(fault("/bin/x"), ErrorCode::kNotFound);
  EXPECT_EQ(fault("/usr/bin/none"), ErrorCode::kNotFound);
  EXPECT_EQ(fault("/usr/bin/x/y"), ErrorCode::kNotFound);
}

// An open FIFO would wait for a writer, and a device would act.
TEST_F(Open, WhatIsNoFileIsOnlyLookedAt) {
  ASSERT_EQ(mkfifo((root_ + "/usr/bin/fifo").c_str(), 0600), 0);
  const auto named = find_named(root_, "/usr/bin/fifo");
  ASSERT_TRUE(named);
  EXPECT_TRUE(S_ISFIFO(named->info.st_mode));
  EXPECT_NE(fcntl(named->fd.get(), F_GETFL) & O_PATH, 0);
}

TEST_F(Open, WhoMayWriteThere) {
  EXPECT_EQ(only_root(), getuid() == 0);
  for (const char* name : {"/", "/usr", "/usr/bin", "/usr/bin/x"}) {
    const fs::path path = root_ + name;
    const fs::perms before = fs::status(path).permissions();
    fs::permissions(path, before | fs::perms::others_write);
    EXPECT_FALSE(only_root()) << name;
    fs::permissions(path, before | fs::perms::group_write);
    EXPECT_FALSE(only_root()) << name;
    fs::permissions(path, before);
    if (getuid() != 0) continue;
    ASSERT_EQ(chown(path.c_str(), 65534, 0), 0);
    EXPECT_FALSE(only_root()) << name;
    ASSERT_EQ(chown(path.c_str(), 0, 0), 0);
    EXPECT_TRUE(only_root()) << name;
  }
}

TEST_F(Open, ATypedPathIsFollowedOnceAndCompletely) {
  EXPECT_EQ(follow_links(root_, "/bin/link"), "/usr/bin/x");
  EXPECT_EQ(follow_links(root_, "/bin/none"), "/usr/bin/none");
  EXPECT_EQ(follow_links(root_, "/none/x"), "/none/x");
  EXPECT_EQ(follow_links("", root_ + "/usr/bin/x"), fs::canonical(root_ + "/usr/bin/x").string());
}

}  // namespace
}  // namespace diglim::explain
