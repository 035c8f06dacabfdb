// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/initramfs/executables.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "lib/base/file.h"

namespace diglim::initramfs {
namespace {

class Initramfs : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/diglim-initramfs.XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    root_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void add(const std::string& path, std::string_view content, mode_t mode) {
    std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
    const ByteView bytes(reinterpret_cast<const uint8_t*>(content.data()), content.size());
    ASSERT_TRUE(write_file_atomically(root_ + path, bytes, mode));
  }
  std::vector<std::string> paths() {
    const auto found = find_executables(root_, HashAlgo::kSha256);
    EXPECT_TRUE(found) << found.error().message;
    std::vector<std::string> names;
    for (const Executable& file : *found) names.push_back(file.path);
    return names;
  }

  std::string root_;
};

using Paths = std::vector<std::string>;

TEST_F(Initramfs, WhatRunsIsFoundByModeOrContent) {
  add("/usr/bin/program", "x", 0755);
  add("/usr/bin/for-group", "x", 0650);
  add("/usr/lib/libx.so.1", "\177ELF...", 0644);
  add("/usr/lib/modules/6.1/a.ko.xz",
      "\xfd"
      "7zXZ",
      0644);
  add("/usr/lib/firmware/card.bin", "data", 0644);
  add("/etc/passwd", "root", 0644);
  add("/etc/empty", "", 0755);
  EXPECT_EQ(paths(), (Paths{"/usr/bin/for-group", "/usr/bin/program", "/usr/lib/firmware/card.bin",
                            "/usr/lib/libx.so.1", "/usr/lib/modules/6.1/a.ko.xz"}));
}

TEST_F(Initramfs, HooksAreSourcedAndLinksAreNotFollowed) {
  add("/usr/lib/dracut/hooks/pre-pivot/10-x.sh", "#!/bin/sh\n", 0755);
  add("/usr/lib/dracut/hooks-not/x.sh", "#!/bin/sh\n", 0755);
  ASSERT_EQ(symlink("/usr/bin/env", (root_ + "/usr/link").c_str()), 0);
  EXPECT_EQ(paths(), Paths{"/usr/lib/dracut/hooks-not/x.sh"});
}

TEST_F(Initramfs, DigestIsOfTheContent) {
  add("/a", "abc", 0755);
  const auto found = find_executables(root_, HashAlgo::kSha256);
  ASSERT_TRUE(found);
  EXPECT_EQ(to_hex(found->front().digest),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_F(Initramfs, NoSuchRootIsAnError) {
  const auto found = find_executables(root_ + "/none", HashAlgo::kSha256);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kNotFound);
}

std::vector<Executable> files_with(std::initializer_list<uint8_t> digests) {
  std::vector<Executable> files;
  for (const uint8_t digest : digests) files.push_back({"/" + std::to_string(digest), Bytes{digest}});
  return files;
}

TEST(ChooseLists, TakesOnlyWhatCovers) {
  const Choice choice = choose_lists(files_with({1, 2}), {{Bytes{9}}, {Bytes{1}, Bytes{3}}, {Bytes{2}}});
  EXPECT_EQ(choice.lists, (std::vector<size_t>{1, 2}));
  EXPECT_TRUE(choice.uncovered.empty());
}

TEST(ChooseLists, OfTwoTheOneThatIsNeededAnyway) {
  const Choice choice = choose_lists(files_with({1, 2}), {{Bytes{1}}, {Bytes{1}, Bytes{2}}});
  EXPECT_EQ(choice.lists, std::vector<size_t>{1});
}

TEST(ChooseLists, OfTwoEqualOnesTheFirst) {
  const Choice choice = choose_lists(files_with({1}), {{Bytes{1}}, {Bytes{1}}});
  EXPECT_EQ(choice.lists, std::vector<size_t>{0});
}

TEST(ChooseLists, NamesWhatNoListHas) {
  const Choice choice = choose_lists(files_with({1, 2, 3}), {{Bytes{2}}});
  EXPECT_EQ(choice.uncovered, (std::vector<size_t>{0, 2}));
}

}  // namespace
}  // namespace diglim::initramfs
