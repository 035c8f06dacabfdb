// SPDX-License-Identifier: Apache-2.0
#include "lib/attest/used_nonces.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

namespace diglim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class UsedNoncesTest : public testing::Test {
 protected:
  UsedNoncesTest() {
    std::string folder = testing::TempDir() + "/nonces.XXXXXX";
    folder_ = mkdtemp(folder.data());
    path_ = folder_ + "/used";
  }
  ~UsedNoncesTest() override { std::filesystem::remove_all(folder_); }

  UsedNonces open() {
    auto opened = UsedNonces::open(path_);
    EXPECT_TRUE(opened);
    return *std::move(opened);
  }
  std::string content() { return std::string(as_text(*read_file(path_, 1 << 20))); }
  void write(const std::string& text) { ASSERT_TRUE(write_file_atomically(path_, as_bytes(text), 0600)); }
  static bool use(UsedNonces& nonces, const Bytes& nonce, bool remember = true) {
    const auto fresh = nonces.use({{nonce, remember}});
    EXPECT_TRUE(fresh) << fresh.error().message;
    return fresh->at(0);
  }

  std::string folder_, path_;
  Bytes a_ = Bytes(32, 0xaa), b_ = Bytes(32, 0xbb), short_ = Bytes(8, 0xcc);
};

TEST_F(UsedNoncesTest, EachCountsOnce) {
  UsedNonces nonces = open();
  EXPECT_TRUE(use(nonces, a_));
  EXPECT_FALSE(use(nonces, a_));
  EXPECT_TRUE(use(nonces, b_));
  EXPECT_EQ(content(), to_hex(a_) + "\n" + to_hex(b_) + "\n");
  UsedNonces again = open();
  EXPECT_FALSE(use(again, a_));
  EXPECT_TRUE(use(again, short_));
}

TEST_F(UsedNoncesTest, WithinOneCallToo) {
  UsedNonces nonces = open();
  const auto fresh = nonces.use({{a_}, {b_}, {a_}, {b_, false}, {short_, false}, {short_}});
  ASSERT_TRUE(fresh);
  EXPECT_THAT(*fresh, ElementsAre(true, true, false, false, true, true));
}

TEST_F(UsedNoncesTest, AskingRemembersNothing) {
  UsedNonces nonces = open();
  EXPECT_TRUE(use(nonces, a_, false));
  EXPECT_TRUE(use(nonces, a_));
  EXPECT_FALSE(use(nonces, a_, false));
}

TEST_F(UsedNoncesTest, OthersShareTheFile) {
  UsedNonces one = open();
  UsedNonces other = open();
  EXPECT_TRUE(use(one, a_));
  EXPECT_FALSE(use(other, a_));
  EXPECT_TRUE(use(other, b_));
  EXPECT_FALSE(use(one, b_));
}

TEST_F(UsedNoncesTest, BehindHalfALine) {
  write(to_hex(a_) + "\n" + to_hex(b_).substr(0, 20));
  UsedNonces nonces = open();
  EXPECT_FALSE(use(nonces, a_));
  EXPECT_TRUE(use(nonces, b_));
  UsedNonces again = open();
  EXPECT_FALSE(use(again, b_));
  EXPECT_TRUE(use(again, short_));
  EXPECT_FALSE(use(nonces, short_));
}

TEST_F(UsedNoncesTest, BehindHalfALineWithoutALineFeed) {
  write(to_hex(b_).substr(0, 20) + to_hex(a_) + "\n");
  UsedNonces nonces = open();
  EXPECT_FALSE(use(nonces, a_));
}

TEST_F(UsedNoncesTest, AFullFileTakesNoMore) {
  write(to_hex(a_) + "\n");
  ASSERT_EQ(truncate(path_.c_str(), kMaxUsedNoncesBytes - 64), 0);
  UsedNonces nonces = open();
  EXPECT_FALSE(use(nonces, a_)) << "what is in it still counts";
  const auto full = nonces.use({{b_}});
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(full.error().message, HasSubstr("begin a new file"));
  EXPECT_TRUE(use(nonces, b_, false)) << "nothing was remembered";
}

// "Begin a new file", while a verifier of a stream has the old one open.
TEST_F(UsedNoncesTest, AnotherFileTookItsPlace) {
  UsedNonces one = open();
  EXPECT_TRUE(use(one, short_));
  std::filesystem::rename(path_, path_ + ".old");
  UsedNonces other = open();
  EXPECT_TRUE(use(other, a_));
  EXPECT_FALSE(use(one, a_));
  EXPECT_TRUE(use(one, b_));
  EXPECT_FALSE(use(other, b_));
  EXPECT_FALSE(use(one, short_)) << "what it saw still counts";
  std::filesystem::remove(path_);
  EXPECT_TRUE(use(one, Bytes(8, 0xdd)));
  EXPECT_EQ(content(), to_hex(Bytes(8, 0xdd)) + "\n");
}

TEST_F(UsedNoncesTest, TheFileWasEmptied) {
  UsedNonces one = open();
  EXPECT_TRUE(use(one, short_));
  EXPECT_TRUE(use(one, b_));
  ASSERT_EQ(truncate(path_.c_str(), 0), 0);
  UsedNonces other = open();
  EXPECT_TRUE(use(other, a_));
  EXPECT_FALSE(use(one, a_));
  EXPECT_FALSE(use(one, b_)) << "what it saw still counts";
}

TEST_F(UsedNoncesTest, NoFolder) {
  EXPECT_FALSE(UsedNonces::open(folder_ + "/none/used"));
}

}  // namespace
}  // namespace diglim
