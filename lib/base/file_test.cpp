// SPDX-License-Identifier: Apache-2.0
#include "lib/base/file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace diglim {
namespace {

using testing::ElementsAre;

class FileTest : public testing::Test {
 protected:
  FileTest() {
    char path[] = "/tmp/diglim-file-test-XXXXXX";
    folder_ = mkdtemp(path);
  }
  ~FileTest() override { std::filesystem::remove_all(folder_); }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }

  std::string folder_;
};

TEST_F(FileTest, AtomicWriteReplacesAndLeavesNothingElse) {
  ASSERT_TRUE(write_file_atomically(path("a"), as_bytes("one"), 0644));
  ASSERT_TRUE(write_file_atomically(path("a"), as_bytes("two"), 0600));
  EXPECT_EQ(*read_file(path("a"), 100), to_bytes(as_bytes("two")));
  EXPECT_THAT(*list_folder(folder_), ElementsAre("a"));
  struct stat info = {};
  ASSERT_EQ(stat(path("a").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(FileTest, FailedAtomicWriteLeavesNothing) {
  ASSERT_EQ(mkdir(path("a").c_str(), 0755), 0);
  ASSERT_EQ(mkdir(path("a/b").c_str(), 0755), 0);
  const auto result = write_file_atomically(path("a"), as_bytes("x"), 0644);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kIo);
  EXPECT_THAT(*list_folder(folder_), ElementsAre("a"));
}

TEST_F(FileTest, ReadFileBoundsMemoryAndType) {
  ASSERT_TRUE(write_file_atomically(path("a"), as_bytes("12345"), 0644));
  EXPECT_TRUE(read_file(path("a"), 5));
  EXPECT_EQ(read_file(path("a"), 4).error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(read_file(folder_, 4).error().message, "not a regular file");
  EXPECT_EQ(read_file(path("none"), 4).error().code, ErrorCode::kNotFound);
  ASSERT_EQ(mkfifo(path("fifo").c_str(), 0600), 0);
  EXPECT_EQ(read_file(path("fifo"), 4).error().message, "not a regular file") << "must not wait for a writer";
}

TEST_F(FileTest, ReadUpToStopsAtWhatIsWantedAndGoesOnWhereAFileGrew) {
  Bytes content(200'000);  // several reads
  for (size_t i = 0; i < content.size(); ++i) content[i] = static_cast<uint8_t>(i * 2654435761u >> 24);
  ASSERT_TRUE(write_file_atomically(path("a"), content, 0644));
  const auto fd = open_file(path("a"), O_RDWR | O_APPEND);
  ASSERT_TRUE(fd);
  Bytes bytes;
  ASSERT_TRUE(read_up_to(*fd, "a", 3, bytes));
  EXPECT_EQ(bytes, Bytes(content.begin(), content.begin() + 3));
  ASSERT_TRUE(read_up_to(*fd, "a", 1u << 30, bytes));
  EXPECT_EQ(bytes, content);
  EXPECT_LE(bytes.capacity(), 2 * content.size()) << "whatever is wanted";
  ASSERT_TRUE(write_bytes(*fd, "a", as_bytes("more")));
  ASSERT_EQ(lseek(fd->get(), static_cast<off_t>(content.size()), SEEK_SET), 200'000);
  ASSERT_TRUE(read_up_to(*fd, "a", 1u << 30, bytes));
  append(content, as_bytes("more"));
  EXPECT_EQ(bytes, content);
  Bytes none;
  EXPECT_FALSE(read_up_to(Fd(), "none", 1, none));
}

TEST_F(FileTest, ReadFileBelievesNoSize) {
  const auto status = read_file("/proc/self/status", 1 << 20);  // says that it has 0 bytes
  ASSERT_TRUE(status);
  EXPECT_NE(as_text(*status).find("VmRSS"), std::string_view::npos);
}

TEST_F(FileTest, ReadStreamIsBounded) {
  EXPECT_TRUE(read_stream("/proc/self/stat", 1 << 20));
  EXPECT_EQ(read_stream("/dev/zero", 1000).error().code, ErrorCode::kUnsupported);
}

TEST(FdTest, MovesOwnership) {
  auto opened = open_file("/dev/null", O_RDONLY);
  ASSERT_TRUE(opened);
  const int number = opened->get();
  Fd first = std::move(*opened);
  Fd second;
  second = std::move(first);
  EXPECT_EQ(second.get(), number);
  EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): a moved-from Fd is empty by contract
  EXPECT_NE(fcntl(number, F_GETFD) & FD_CLOEXEC, 0);
}

}  // namespace
}  // namespace diglim
