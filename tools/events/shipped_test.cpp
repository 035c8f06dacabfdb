// SPDX-License-Identifier: Apache-2.0
#include "tools/events/shipped.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "lib/base/file.h"
#include "lib/crypto/hash.h"
#include "lib/digest_list/rpm_list.h"
#include "lib/rpm/test_writer.h"
#include "tools/events/test_event.h"

namespace diglim::events {
namespace {

namespace fs = std::filesystem;

std::string sha256(std::string_view content) {
  return to_hex(*hash(HashAlgo::kSha256, {as_bytes(content)}));
}

class ShippedTest : public testing::Test {
 protected:
  ShippedTest() {
    EXPECT_NE(mkdtemp(root_.data()), nullptr);
    fs::create_directories(root_ + "/usr/bin");
    fs::create_directories(lists());
    fs::create_symlink("usr/bin", root_ + "/bin");
    files_ = ShippedFiles(lists(), root_);
  }
  ~ShippedTest() override { fs::remove_all(root_); }
  std::string lists() const { return root_ + "/lists"; }

  // A list of a package with one file; `digest_algo` as OpenPGP numbers it.
  void ship(const std::string& nvra, const std::string& folder, const std::string& digest,
            uint32_t digest_algo = 8) {
    rpm::HeaderWriter header;
    header.string(1000, "hello").string(1001, "2.0").string(1002, "1").string(1044, "hello.src.rpm");
    if (!digest.empty()) header.strings(1035, {digest});
    header.raw(1116, 4, 1, Bytes(4, 0), 4).strings(1117, {"tool"}).strings(1118, {folder});
    const Bytes main = header.number(5011, digest_algo).main();
    const std::vector<Bytes> packets = {Bytes(20, 0x88)};
    const auto list = make_rpm_list(ByteView(main).subspan(8), packets);
    ASSERT_TRUE(list) << list.error().message;
    ASSERT_TRUE(write_file_atomically(lists() + "/" + std::string(kRpmListPrefix) + nvra, *list, 0644));
  }
  std::string find(const std::string& path, const std::string& content = "x") {
    const auto shipped = files_.find(path, "sha256:" + sha256(content), ++now_s_);
    return shipped ? shipped->package + " " + shipped->how : "";
  }

  std::string root_ = "/tmp/diglim-shipped.XXXXXX";
  int64_t now_s_ = 0;
  ShippedFiles files_;
};

TEST_F(ShippedTest, SaysWhoShipsItAndHow) {
  ship("hello-2.0-1.x86_64", "/usr/bin/", sha256("x"));
  EXPECT_EQ(find("/usr/bin/tool"), "hello-2.0-1.x86_64 with this content");
  EXPECT_EQ(find("/usr/bin/tool", "y"), "hello-2.0-1.x86_64 with other content");
  EXPECT_EQ(find("/usr/bin/other"), "");
  const auto unhashed = files_.find("/usr/bin/tool", "", now_s_);
  ASSERT_TRUE(unhashed);
  EXPECT_EQ(unhashed->how, "");
}

TEST_F(ShippedTest, DigestsThatDoNotCount) {
  ship("hello-2.0-1.x86_64", "/usr/bin/", std::string(32, 'a'), 1);
  EXPECT_EQ(find("/usr/bin/tool"), "hello-2.0-1.x86_64 with md5 digests only");
  ship("hello-2.0-1.x86_64", "/usr/bin/", "");
  EXPECT_EQ(find("/usr/bin/tool"), "hello-2.0-1.x86_64 without digests");
}

TEST_F(ShippedTest, FollowsLinksOfFolders) {
  ship("hello-2.0-1.x86_64", "/bin/", sha256("x"));
  EXPECT_EQ(find("/usr/bin/tool"), "hello-2.0-1.x86_64 with this content");
}

TEST_F(ShippedTest, FollowsTheFolder) {
  EXPECT_EQ(find("/usr/bin/tool"), "");
  ship("hello-2.0-1.x86_64", "/usr/bin/", sha256("x"));
  EXPECT_TRUE(files_.find("/usr/bin/tool", "", now_s_)) << "in the same second";
  EXPECT_EQ(find("/usr/bin/tool"), "hello-2.0-1.x86_64 with this content");
  ship("hello-2.0-2.x86_64", "/usr/bin/", sha256("y"));
  fs::remove(lists() + "/" + std::string(kRpmListPrefix) + "hello-2.0-1.x86_64");
  EXPECT_EQ(files_.find("/usr/bin/tool", "sha256:" + sha256("x"), now_s_)->package, "hello-2.0-1.x86_64")
      << "more is looked at once a second";
  EXPECT_EQ(find("/usr/bin/tool"), "hello-2.0-2.x86_64 with other content");
}

TEST_F(ShippedTest, OfTwoPackagesTheOneOfThisContent) {
  ship("a-1-1.x86_64", "/usr/bin/", sha256("other"));
  ship("b-1-1.i686", "/usr/bin/", sha256("x"));
  ship("c-1-1.x86_64", "/usr/bin/", sha256("other"));
  EXPECT_EQ(find("/usr/bin/tool"), "b-1-1.i686 with this content");
}

TEST_F(ShippedTest, RubbishShipsNothingAndHidesNobody) {
  ship("hello-2.0-1.x86_64", "/usr/bin/", sha256("x"));
  const std::string prefix = lists() + "/" + std::string(kRpmListPrefix);
  ASSERT_TRUE(write_file_atomically(prefix + "empty", {}, 0644));
  ASSERT_TRUE(write_file_atomically(prefix + "rubbish", as_bytes("rubbish"), 0644));
  fs::create_directory(prefix + "folder");
  fs::create_symlink("nowhere", prefix + "link");
  EXPECT_EQ(find("/usr/bin/tool"), "hello-2.0-1.x86_64 with this content");
}

TEST_F(ShippedTest, TheEventSaysIt) {
  EventRecord record = test_record();
  const std::string path("tool\0bin\0usr\0", 13);
  record.event.path_bytes = static_cast<decltype(record.event.path_bytes)>(path.size());
  record.event.cgroup_bytes = record.event.exe_bytes = 0;
  std::memset(record.event.text, 0, sizeof(record.event.text));
  std::memcpy(record.event.text, path.data(), path.size());
  ship("hello-2.0-1.x86_64", "/usr/bin/", sha256("x"));
  Event event = describe(record, "3f2a91bc-0000-4000-8000-000000000000", {});
  say_who_ships(event, record.event, files_, ++now_s_);
  EXPECT_TRUE(event.line.ends_with("command bash; shipped by hello-2.0-1.x86_64")) << event.line;
  ASSERT_EQ(std::string(event.fields.back().name), "package");
  EXPECT_EQ(event.fields.back().text, "hello-2.0-1.x86_64");

  event = test_event();  // of /tmp, which no package ships
  const std::string before = event.line;
  say_who_ships(event, test_record().event, files_, ++now_s_);
  EXPECT_EQ(event.line, before);
}

}  // namespace
}  // namespace diglim::events
