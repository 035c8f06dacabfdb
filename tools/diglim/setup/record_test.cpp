// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/setup/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "lib/base/file.h"

namespace diglim::setup {
namespace {

using testing::HasSubstr;

class RecordTest : public testing::Test {
 protected:
  RecordTest() {
    char path[] = "/tmp/diglim-record-test-XXXXXX";
    folder_ = mkdtemp(path) != nullptr ? path : "";
  }
  ~RecordTest() override { std::filesystem::remove_all(folder_); }
  std::string path() const { return folder_ + "/setup.json"; }
  std::string text() const { return std::string(as_text(*read_file(path(), 1u << 20))); }
  // The record with one piece of its text changed.
  Result<std::optional<Record>> load_with(std::string_view what, std::string_view by) {
    std::string changed = text();
    const size_t at = changed.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    if (at != std::string::npos) changed.replace(at, what.size(), by);
    std::ofstream(path() + ".changed") << changed;
    return load_record(path() + ".changed");
  }

  std::string folder_;
};

Record sample() {
  Record record;
  RecordedFile file;
  file.path = "/etc/default/grub";
  file.before = Bytes{'a', 0, 255};
  file.mode = 0640;
  file.uid = 1;
  file.gid = 2;
  file.after_sha256 = "00ff";
  file.format = "grub";
  record.files = {file, RecordedFile()};
  record.files[1].path = "/etc/x";
  record.files[1].link = true;
  record.folders = {"/etc/diglim"};
  record.words = {"rdinit=/x"};
  record.lists = true;
  record.lists_before = {"0-file_list-rpm-a"};
  record.initramfs = true;
  record.bootloader = {"grub2-mkconfig", "-o", "/boot/grub2/grub.cfg"};
  return record;
}

TEST_F(RecordTest, WhatWasSavedIsLoaded) {
  const Record record = sample();
  ASSERT_TRUE(save_record(path(), record));
  const auto loaded = load_record(path());
  ASSERT_TRUE(loaded) << loaded.error().message;
  ASSERT_TRUE(*loaded);
  const Record& got = **loaded;
  ASSERT_EQ(got.files.size(), 2u);
  EXPECT_EQ(got.files[0].before, record.files[0].before);
  EXPECT_EQ(got.files[0].mode, 0640u);
  EXPECT_EQ(got.files[0].uid, 1u);
  EXPECT_EQ(got.files[0].gid, 2u);
  EXPECT_EQ(got.files[0].after_sha256, "00ff");
  EXPECT_EQ(got.files[0].format, "grub");
  EXPECT_TRUE(got.files[1].link);
  EXPECT_FALSE(got.files[1].before) << "it was not there";
  EXPECT_EQ(got.folders, record.folders);
  EXPECT_EQ(got.words, record.words);
  EXPECT_TRUE(got.lists);
  EXPECT_EQ(got.lists_before, record.lists_before);
  EXPECT_TRUE(got.initramfs);
  EXPECT_EQ(got.bootloader, record.bootloader);
}

TEST_F(RecordTest, OnlyRootReadsIt) {
  ASSERT_TRUE(save_record(path(), sample()));
  struct stat info = {};
  ASSERT_EQ(stat(path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u) << "it may hold what was in a file that only root reads";
}

TEST_F(RecordTest, NoneIsNoError) {
  const auto loaded = load_record(path());
  ASSERT_TRUE(loaded);
  EXPECT_FALSE(*loaded);
}

TEST_F(RecordTest, NamesOfAnyBytesDoNotKeepItFromBeingSaved) {
  Record record = sample();
  record.lists_before = {"\xff\xfe"};
  ASSERT_TRUE(save_record(path(), record));
  EXPECT_TRUE(load_record(path()));
}

// To undo by a record that was misread would write files anywhere.
TEST_F(RecordTest, WhatIsNoRecordIsRefusedByName) {
  ASSERT_TRUE(save_record(path(), sample()));
  for (const auto& [what, by] :
       std::vector<std::pair<std::string, std::string>>{{"\"/etc/default/grub\"", "\"etc/default/grub\""},
                                                        {"\"/etc/default/grub\"", "\"\""},
                                                        {"\"/etc/default/grub\"", "7"},
                                                        {"\"files\"", "\"file\""},
                                                        {"\"mode\": 416", "\"mode\": \"416\""},
                                                        {"\"words\": [", "\"words\": [1, "},
                                                        {"\"before\": \"YQD/\"", "\"before\": \"*\""},
                                                        {"{", "["}}) {
    const auto loaded = load_with(what, by);
    ASSERT_FALSE(loaded) << what << " -> " << by;
    EXPECT_EQ(loaded.error().code, ErrorCode::kCorrupt) << what;
    EXPECT_THAT(loaded.error().message, HasSubstr("setup.json.changed")) << what;
  }
  const auto other = load_with("\"version\": 1", "\"version\": 2");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::kUnsupported);
}

TEST(Record, FindsByPath) {
  Record record = sample();
  ASSERT_NE(record.find("/etc/x"), nullptr);
  EXPECT_TRUE(record.find("/etc/x")->link);
  EXPECT_EQ(record.find("/etc"), nullptr);
}

}  // namespace
}  // namespace diglim::setup
