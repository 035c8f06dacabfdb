// SPDX-License-Identifier: Apache-2.0
#include "lib/base/folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace diglim {
namespace {

using testing::ElementsAre;
using testing::EndsWith;

class FolderTest : public testing::Test {
 protected:
  FolderTest() {
    char path[] = "/tmp/diglim-directory-test-XXXXXX";
    root_ = mkdtemp(path);
  }
  ~FolderTest() override { std::filesystem::remove_all(root_); }

  std::string root_;
};

TEST_F(FolderTest, MakesWhatIsMissingAndWritesWholeFiles) {
  const auto folder = Folder::open(root_, "etc/lists");
  ASSERT_TRUE(folder) << folder.error().message;
  ASSERT_TRUE(folder->write("b", as_bytes("one")));
  ASSERT_TRUE(folder->write("b", as_bytes("two")));
  ASSERT_TRUE(folder->write("a", {}));
  EXPECT_THAT(*folder->list(), ElementsAre("a", "b"));
  EXPECT_THAT(*folder->list(), ElementsAre("a", "b")) << "from the start each time";
  EXPECT_EQ(*folder->read("b", 3), to_bytes(as_bytes("two")));
  EXPECT_TRUE(*folder->exists("a"));
  ASSERT_TRUE(folder->remove("a"));
  EXPECT_TRUE(folder->remove("a"));
  EXPECT_FALSE(*folder->exists("a"));
}

TEST_F(FolderTest, AFileHasNoNameBeforeItIsCommitted) {
  const auto folder = Folder::open(root_, "etc");
  ASSERT_TRUE(folder);
  const auto file = folder->prepare("a", as_bytes("content"));
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_THAT(*folder->list(), ElementsAre(".a.new"));
  ASSERT_TRUE(folder->commit(*file));
  EXPECT_THAT(*folder->list(), ElementsAre("a"));
  folder->discard(*folder->prepare("b", as_bytes("content")));
  EXPECT_THAT(*folder->list(), ElementsAre("a"));
}

TEST_F(FolderTest, ErrorsNameTheFile) {
  const auto folder = Folder::open(root_, "etc");
  ASSERT_TRUE(folder);
  ASSERT_TRUE(folder->write("a", as_bytes("12345")));
  const Error large = folder->read("a", 4).error();
  EXPECT_EQ(large.code, ErrorCode::kUnsupported);
  EXPECT_EQ(large.message, root_ + "/etc/a: larger than the limit of 4 bytes");
  EXPECT_EQ(folder->read("none", 4).error().code, ErrorCode::kNotFound);
  ASSERT_EQ(mkdir((root_ + "/etc/directory").c_str(), 0755), 0);
  EXPECT_THAT(folder->read("directory", 4).error().message, EndsWith("/etc/directory: not a regular file"));
  ASSERT_EQ(symlink("a", (root_ + "/etc/link").c_str()), 0);
  EXPECT_EQ(folder->read("link", 9).error().code, ErrorCode::kIo);
}

TEST_F(FolderTest, NoLinkIsFollowedBelowAnotherRoot) {
  ASSERT_EQ(symlink("/tmp", (root_ + "/etc").c_str()), 0);
  EXPECT_FALSE(Folder::open(root_, "etc/lists"));
}

}  // namespace
}  // namespace diglim
