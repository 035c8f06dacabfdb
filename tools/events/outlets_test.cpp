// SPDX-License-Identifier: Apache-2.0
#include "tools/events/outlets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "lib/base/file.h"
#include "tools/events/test_event.h"

namespace diglim::events {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class Outlets : public testing::Test {
 protected:
  Outlets() {
    char name[] = "/tmp/diglim-outlets.XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~Outlets() override { std::filesystem::remove_all(folder_); }

  Fd listen_at(const std::string& path, int type) {
    sockaddr_un address = {AF_UNIX, {}};
    std::strcpy(address.sun_path, path.c_str());
    Fd fd(socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
    EXPECT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    if (type == SOCK_STREAM) {
      EXPECT_EQ(listen(fd.get(), 1), 0);
    }
    return fd;
  }

  std::string folder_;
};

TEST_F(Outlets, AFileGetsWholeLinesAlsoAfterItWasRotated) {
  const std::string path = folder_ + "/events.json";
  const auto write = write_json_file(path);
  ASSERT_TRUE(write(test_event(), 0));
  std::filesystem::rename(path, path + ".1");
  ASSERT_TRUE(write(test_event(), 2));
  for (const std::string& file : {path, path + ".1"}) {
    const auto text = read_file(file, 1 << 16);
    ASSERT_TRUE(text);
    EXPECT_THAT(std::string(as_text(*text)), testing::EndsWith("}\n"));
  }
  struct stat info = {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07, 0u) << "not for everybody";
}

TEST_F(Outlets, AFullDiskAPipeAndALinkAreErrors) {
  EXPECT_FALSE(write_json_file("/dev/full")(test_event(), 0));
  ASSERT_EQ(mkfifo((folder_ + "/pipe").c_str(), 0600), 0);
  EXPECT_FALSE(write_json_file(folder_ + "/pipe")(test_event(), 0)) << "nobody reads it, and nothing waits";
  ASSERT_EQ(symlink("/etc/hosts", (folder_ + "/link").c_str()), 0);
  EXPECT_FALSE(write_json_file(folder_ + "/link")(test_event(), 0));
}

TEST_F(Outlets, ASocketThatIsNotReadLosesAndOneThatComesBackGetsAgain) {
  const std::string path = folder_ + "/socket";
  const auto write = write_json_socket(path);
  EXPECT_FALSE(write(test_event(), 0)) << "nobody listens";
  {
    const Fd listener = listen_at(path, SOCK_STREAM);
    ASSERT_TRUE(write(test_event(), 0));
    bool taken = true;
    for (int i = 0; i < 100'000 && taken; ++i) taken = static_cast<bool>(write(test_event(), 0));
    EXPECT_FALSE(taken) << "it is full, and nothing waits";
  }
  ASSERT_EQ(unlink(path.c_str()), 0);
  const Fd again = listen_at(path, SOCK_STREAM);
  EXPECT_TRUE(write(test_event(), 1)) << "by a new connection";
}

TEST_F(Outlets, SyslogIsOneDatagram) {
  const std::string path = folder_ + "/log";
  const Fd listener = listen_at(path, SOCK_DGRAM);
  ASSERT_TRUE(write_syslog(path)(test_event(), 3));
  char text[4096] = {};
  ASSERT_GT(recv(listener.get(), text, sizeof(text) - 1, 0), 0);
  EXPECT_THAT(text, StartsWith("<83>"));
  EXPECT_THAT(text, HasSubstr("denied exec /tmp/a \"\\n\\x1b[2J\\xff: not on any digest list"));
  EXPECT_THAT(text, HasSubstr("3 events before it were lost"));
}

TEST(AuditText, IsReadByItsToolsWhateverTheNameIs) {
  const std::string text = audit_text(test_event(), 2);
  // What has a quote, a space or a control character is in hexadecimal, which ausearch -i reads.
  EXPECT_THAT(text, HasSubstr(" path=2F746D702F6120220A1B5B324AFF "));
  EXPECT_THAT(text, HasSubstr(" op=\"exec\""));
  EXPECT_THAT(text, HasSubstr(" reason=\"not-on-any-digest-list\""));
  EXPECT_THAT(text, HasSubstr(" opid=12 ouid=1000 oauid=1000 "));
  EXPECT_THAT(text, HasSubstr(" oexe=\"/bin/bash\""));
  EXPECT_THAT(text, testing::EndsWith(" lost=2"));
  EXPECT_EQ(text.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace diglim::events
