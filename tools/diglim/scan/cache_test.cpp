// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/scan/cache.h"

#include <gtest/gtest.h>
#include <linux/magic.h>
#include <sqlite3.h>

#include <filesystem>
#include <fstream>

#include "lib/base/file.h"

namespace diglim::scan {
namespace {

struct stat info_of(uint64_t inode, int64_t changed, int64_t size) {
  struct stat info = {};
  info.st_dev = 7;
  info.st_ino = inode;
  info.st_ctim.tv_sec = changed;
  info.st_size = size;
  return info;
}
std::pair<struct stat, CacheRow> row(uint64_t inode, int64_t changed, char digest) {
  const auto info = info_of(inode, changed, 10);
  return {info, {Cache::changed_ns(info), 10, Kind::kProgram, std::string(32, digest)}};
}

class CacheTest : public testing::Test {
 protected:
  CacheTest() {
    std::string name = testing::TempDir() + "diglim_cache_XXXXXX";
    folder_ = mkdtemp(name.data());
  }
  ~CacheTest() override { std::filesystem::remove_all(folder_); }
  std::string path() const { return folder_ + "/c"; }
  Cache open(HashAlgo algo = HashAlgo::kSha256) const { return Cache::open(path(), algo); }
  void overwrite(const std::string& text) const { std::ofstream(path(), std::ios::binary) << text; }

  std::string folder_;
};

TEST_F(CacheTest, FindsWhatIsTheSameOnly) {
  {
    Cache cache = open();
    cache.store({row(1, 100, 'a'), row(2, 100, 'b')}, true);
    EXPECT_EQ(cache.complaint(), "");
  }
  const Cache cache = open();
  ASSERT_NE(cache.find(info_of(1, 100, 10)), nullptr);
  EXPECT_EQ(cache.find(info_of(1, 100, 10))->digest, std::string(32, 'a'));
  EXPECT_EQ(cache.find(info_of(1, 100, 10))->kind, Kind::kProgram);
  EXPECT_EQ(cache.find(info_of(1, 101, 10)), nullptr);
  EXPECT_EQ(cache.find(info_of(1, 100, 11)), nullptr);
  EXPECT_EQ(cache.find(info_of(3, 100, 10)), nullptr);
  EXPECT_EQ(open(HashAlgo::kSha512).find(info_of(1, 100, 10)), nullptr);
}

TEST_F(CacheTest, WhatIsGoneGoesAfterAWholeScanOnly) {
  open().store({row(1, 100, 'a'), row(2, 100, 'b')}, true);
  {
    Cache cache = open();
    ASSERT_NE(cache.find(info_of(1, 100, 10)), nullptr);
    cache.store({}, false);
  }
  EXPECT_NE(open().find(info_of(2, 100, 10)), nullptr);
  {
    Cache cache = open();
    ASSERT_NE(cache.find(info_of(1, 100, 10)), nullptr);
    cache.store({}, true);
  }
  EXPECT_NE(open().find(info_of(1, 100, 10)), nullptr);
  EXPECT_EQ(open().find(info_of(2, 100, 10)), nullptr);
}

TEST_F(CacheTest, ChangeTimesThatTell) {
  EXPECT_FALSE(Cache::is_settled(info_of(1, 100, 10), 101'999'999'999));
  EXPECT_TRUE(Cache::is_settled(info_of(1, 100, 10), 102'000'000'000));
  for (const uint32_t type : {SQUASHFS_MAGIC, static_cast<int>(EROFS_SUPER_MAGIC_V1), ISOFS_SUPER_MAGIC})
    EXPECT_FALSE(Cache::tells_changes(type)) << type;
  EXPECT_TRUE(Cache::tells_changes(EXT4_SUPER_MAGIC));
}

TEST_F(CacheTest, WhatAnotherFileSystemHasStays) {
  auto other = row(1, 100, 'o');
  other.first.st_dev = 8;
  open().store({row(1, 100, 'a'), row(2, 100, 'b'), other}, true);
  {
    Cache cache = open();
    ASSERT_NE(cache.find(info_of(1, 100, 10)), nullptr);
    cache.store({}, true);
  }
  EXPECT_EQ(open().find(info_of(2, 100, 10)), nullptr);
  EXPECT_NE(open().find(other.first), nullptr);
}

TEST_F(CacheTest, CorruptIsSaidAndGoesOnWithout) {
  overwrite(std::string(5000, 'x'));
  Cache cache = open();
  EXPECT_NE(cache.complaint().find("is of no use (file is not a database)"), std::string::npos)
      << cache.complaint();
  EXPECT_NE(cache.complaint().find("rm " + path()), std::string::npos);
  EXPECT_EQ(cache.find(info_of(1, 100, 10)), nullptr);
  cache.store({row(1, 100, 'a')}, true);  // does nothing
}

TEST_F(CacheTest, ADamagedPageIsSaid) {
  std::vector<std::pair<struct stat, CacheRow>> rows;
  for (uint64_t i = 1; i < 2000; ++i) rows.push_back(row(i, 100, 'a'));
  open().store(rows, true);
  auto bytes = read_file(path(), 10u << 20);
  ASSERT_TRUE(bytes);
  for (size_t at = 8192; at < bytes->size(); ++at) (*bytes)[at] = 0xff;
  overwrite(std::string(as_text(*bytes)));
  const Cache cache = open();
  EXPECT_NE(cache.complaint().find("malformed"), std::string::npos) << cache.complaint();
  EXPECT_EQ(cache.find(info_of(1, 100, 10)), nullptr);
}

TEST_F(CacheTest, LockedByAnotherIsSaid) {
  open().store({row(1, 100, 'a')}, true);
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN EXCLUSIVE", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_NE(open().complaint().find("database is locked"), std::string::npos);
  sqlite3_exec(other, "ROLLBACK", nullptr, nullptr, nullptr);
  sqlite3_close(other);
  EXPECT_EQ(open().complaint(), "");
}

TEST_F(CacheTest, RemovedMeanwhileIsSaid) {
  open().store({row(1, 100, 'a')}, true);
  Cache cache = open();
  std::filesystem::remove(path());
  cache.store({row(2, 100, 'a')}, true);
  EXPECT_NE(cache.complaint(), "");
}

TEST_F(CacheTest, NoDirectoryIsSaid) {
  EXPECT_NE(Cache::open(folder_ + "/none/c", HashAlgo::kSha256).complaint().find("unable to open"),
            std::string::npos);
  EXPECT_EQ(Cache::open("", HashAlgo::kSha256).complaint(), "");
}

TEST_F(CacheTest, RowsOfAnotherLayoutOrOfNonsenseAreNotUsed) {
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "CREATE TABLE files(x); PRAGMA user_version = 99", nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(other);
  open().store({row(1, 100, 'a')}, true);
  EXPECT_NE(open().find(info_of(1, 100, 10)), nullptr);
  ASSERT_EQ(sqlite3_open(path().c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "UPDATE files SET kind = 77", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_EQ(open().find(info_of(1, 100, 10)), nullptr);
  ASSERT_EQ(sqlite3_exec(other, "UPDATE files SET kind = 1, digest = 'short'", nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(other);
  EXPECT_EQ(open().find(info_of(1, 100, 10)), nullptr);
}

}  // namespace
}  // namespace diglim::scan
