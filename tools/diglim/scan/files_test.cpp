// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/scan/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace diglim::scan {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

class FilesTest : public testing::Test {
 protected:
  FilesTest() {
    std::string name = testing::TempDir() + "diglim_files_XXXXXX";
    root_ = mkdtemp(name.data());
  }
  ~FilesTest() override { fs::remove_all(root_); }
  void put(const std::string& path, const std::string& text, int mode) const {
    fs::create_directories(fs::path(root_ + path).parent_path());
    std::ofstream(root_ + path, std::ios::binary) << text;
    fs::permissions(root_ + path, static_cast<fs::perms>(mode));
  }
  Found find(
      const FindOptions& options, Cache& cache,
      const std::function<void(size_t, size_t, std::string_view)>& progress = [](size_t, size_t,
                                                                                 std::string_view) {}) const {
    return find_files(Host(root_), mounts_, options, HashAlgo::kSha256, cache, progress);
  }
  Found find(const FindOptions& options = {}) const {
    Cache none = Cache::open("", HashAlgo::kSha256);
    return find(options, none);
  }
  std::vector<std::string> paths(const FindOptions& options = {}) const {
    std::vector<std::string> all;
    for (const File& file : find(options).files) all.push_back(file.path);
    return all;
  }

  std::string root_;
  std::vector<Mount> mounts_;
};

TEST_F(FilesTest, ByPathAndWithTheirDigests) {
  put("/usr/bin/b", "#!/bin/sh\n", 0755);
  put("/usr/bin/a", "x", 0755);
  put("/usr/share/doc", "text", 0644);
  put("/usr/bin/empty", "", 0755);
  fs::create_symlink("a", root_ + "/usr/bin/link");
  fs::create_directory_symlink("usr", root_ + "/other");
  ASSERT_EQ(mkfifo((root_ + "/usr/bin/fifo").c_str(), 0755), 0);
  const Found found = find();
  ASSERT_EQ(found.files.size(), 2u);
  EXPECT_EQ(found.files[0].path, "/usr/bin/a");
  EXPECT_EQ(to_hex(as_bytes(found.files[0].digest)).substr(0, 8), "2d711642");  // sha256 of "x"
  EXPECT_EQ(found.files[1].kind, Kind::kScript);
  EXPECT_EQ(found.hashed_bytes, 11u);
}

TEST_F(FilesTest, OnlyWhereAskedFor) {
  put("/a/x", "x", 0755);
  put("/b/x", "x", 0755);
  put("/b/c/x", "x", 0755);
  EXPECT_THAT(paths({{"/b"}, {}, 0}), ElementsAre("/b/c/x", "/b/x"));
  EXPECT_THAT(paths({{}, {"/b"}, 0}), ElementsAre("/a/x"));
  EXPECT_THAT(paths({{"/b", "/b/c"}, {}, 1}), ElementsAre("/b/c/x", "/b/x"));  // each once
}

TEST_F(FilesTest, OddNames) {
  put("/a/\n\x1b[2J", "x", 0755);
  put("/a/\xff", "x", 0755);
  EXPECT_THAT(paths(), ElementsAre("/a/\n\x1b[2J", "/a/\xff"));
}

TEST_F(FilesTest, MountsThatAreRefusedAreNamedAndNotGoneThrough) {
  put("/nfs/x", "x", 0755);
  put("/proc/sys", "x", 0755);
  put("/usr/x", "x", 0755);
  mounts_ = {{"/", "ext4", "/dev/sda1"}, {"/proc", "proc", "proc"}, {"/nfs", "nfs4", "server:/"}};
  const Found found = find();
  ASSERT_EQ(found.refused.size(), 1u);
  EXPECT_EQ(found.refused[0].point, "/nfs");
  EXPECT_EQ(found.refused[0].why, "nfs4, whose content can change unseen");
  ASSERT_EQ(found.files.size(), 1u);
  EXPECT_EQ(found.files[0].path, "/usr/x");
}

// A server that is gone would not answer: here it is a file, which nobody finds out.
TEST_F(FilesTest, NobodyAsksAFileSystemThatIsRefusedOrSkipped) {
  put("/nfs", "x", 0755);
  put("/other", "x", 0755);
  mounts_ = {{"/", "ext4", "/dev/sda1"}, {"/nfs", "nfs4", "server:/"}};
  const Found found = find({{}, {"/other"}, 0});
  ASSERT_EQ(found.refused.size(), 1u);
  EXPECT_EQ(found.files.size(), 0u);
}

TEST_F(FilesTest, WhatIsAskedForOnARefusedMountIsGoneThroughAndNamed) {
  put("/home/u/v/x", "x", 0755);
  put("/home/w/x", "x", 0755);
  mounts_ = {{"/", "ext4", "/dev/sda1"}, {"/home", "nfs4", "server:/"}};
  const Found found = find({{"/home/u/v", "/home/w"}, {}, 0});
  ASSERT_EQ(found.refused.size(), 1u);
  EXPECT_EQ(found.refused[0].point, "/home");
  EXPECT_EQ(found.files.size(), 2u);
}

TEST_F(FilesTest, WhatAnImageSaysOfMountsIsNoMatter) {
  put("/proc/self/mountinfo", "20 1 8:1 / / rw - proc proc rw\n", 0644);
  put("/usr/x", "x", 0755);
  EXPECT_THAT(paths(), ElementsAre("/usr/x"));
}

TEST_F(FilesTest, AllOfManyMountsAreRead) {
  std::string text;
  for (int i = 0; i < 40000; ++i)
    text += "20 1 8:1 / /mnt/" + std::to_string(i) + " rw - ext4 /dev/sda1 rw\n";
  ASSERT_GT(text.size(), 1u << 20);
  put("/proc/self/mountinfo", text, 0644);
  EXPECT_EQ(Host(root_).mounts().size(), 40000u);
}

TEST_F(FilesTest, AFifoInPlaceOfATextHangsNobody) {
  ASSERT_EQ(mkfifo((root_ + "/fifo").c_str(), 0644), 0);
  EXPECT_FALSE(Host(root_).text("/fifo"));
}

TEST_F(FilesTest, WhatIsTooLargeIsNotRead) {
  put("/usr/large", "x", 0755);
  put("/usr/most", "x", 0755);
  fs::resize_file(root_ + "/usr/large", (uint64_t{4} << 30) + 1);
  const Found found = find({{}, {}, 1});
  ASSERT_EQ(found.files.size(), 2u);
  EXPECT_EQ(found.files[0].digest, "");
  EXPECT_EQ(found.files[0].error, "");
  EXPECT_EQ(found.files[1].digest.size(), 32u);
  EXPECT_EQ(found.hashed_bytes, 1u);
}

TEST_F(FilesTest, ARefusedRootIsGoneThroughAllTheSame) {
  put("/usr/x", "x", 0755);
  mounts_ = {{"/", "overlay", "overlay"}};
  const Found found = find();
  ASSERT_EQ(found.refused.size(), 1u);
  EXPECT_EQ(found.files.size(), 1u);
}

TEST_F(FilesTest, TheCacheIsAskedFirst) {
  put("/a/x", "x", 0755);
  put("/a/text", "text", 0644);
  const std::string path = root_ + "-cache";
  sleep(3);  // what changed just now is not kept
  for (const size_t cached : {0u, 1u, 1u}) {
    Cache cache = Cache::open(path, HashAlgo::kSha256);
    const Found found = find({}, cache);
    ASSERT_EQ(found.files.size(), 1u);
    EXPECT_EQ(found.from_cache, cached);
    EXPECT_EQ(found.files[0].digest.size(), 32u);
    EXPECT_EQ(cache.complaint(), "");
  }
  put("/a/x", "other", 0755);
  Cache cache = Cache::open(path, HashAlgo::kSha256);
  EXPECT_EQ(find({}, cache).from_cache, 0u);
  fs::remove(path);
}

TEST_F(FilesTest, WhatOtherScansReadStays) {
  const std::string path = root_ + "-cache";
  put("/a/x", "x", 0755);
  put("/b/x", "x", 0755);
  struct stat info = {};
  ASSERT_EQ(stat((root_ + "/a/x").c_str(), &info), 0);
  const CacheRow row = {Cache::changed_ns(info), 1, Kind::kOther, std::string(32, 'a')};
  Cache::open(path, HashAlgo::kSha256).store({{info, row}}, false);
  {
    Cache cache = Cache::open(path, HashAlgo::kSha256);
    (void)find_files(Host(root_ + "/b"), {}, {}, HashAlgo::kSha256, cache,
                     [](size_t, size_t, std::string_view) {});
  }
  EXPECT_NE(Cache::open(path, HashAlgo::kSha256).find(info), nullptr);
  fs::remove(path);
}

// However long the rest of the scan takes: what was read just after it changed may change once more in that
// time.
TEST_F(FilesTest, WhatChangedJustBeforeItWasReadIsNotKept) {
  const std::string path = root_ + "-cache";
  put("/a/changed", "x", 0755);
  put("/a/settled", "x", 0755);
  sleep(2);
  bool changed = false;
  bool waited = false;
  {
    Cache cache = Cache::open(path, HashAlgo::kSha256);
    (void)find({{}, {}, 1}, cache, [&](size_t, size_t of, std::string_view) {
      if (of == 0 && !std::exchange(changed, true)) put("/a/changed", "y", 0755);
      if (of > 0 && !std::exchange(waited, true)) sleep(3);
    });
  }
  EXPECT_TRUE(changed);
  EXPECT_TRUE(waited);
  const Cache cache = Cache::open(path, HashAlgo::kSha256);
  struct stat info = {};
  ASSERT_EQ(stat((root_ + "/a/changed").c_str(), &info), 0);
  EXPECT_EQ(cache.find(info), nullptr);
  ASSERT_EQ(stat((root_ + "/a/settled").c_str(), &info), 0);
  EXPECT_NE(cache.find(info), nullptr);
  fs::remove(path);
}

TEST_F(FilesTest, ThousandsWithManyThreads) {
  for (int i = 0; i < 3000; ++i)
    put("/d" + std::to_string(i % 50) + "/" + std::to_string(i), std::to_string(i), 0755);
  const Found found = find({{}, {}, 8});
  ASSERT_EQ(found.files.size(), 3000u);
  for (const File& file : found.files) {
    const std::string text = file.path.substr(file.path.rfind('/') + 1);
    ASSERT_EQ(file.digest, as_text(*hash(HashAlgo::kSha256, {as_bytes(text)}))) << file.path;
  }
}

}  // namespace
}  // namespace diglim::scan
