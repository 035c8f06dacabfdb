// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/tls/agent_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <thread>

#include "lib/ssh/agent.h"
#include "lib/ssh/wire.h"

namespace diglim {
namespace {

Bytes message(std::string_view text) {
  Bytes out;
  put_ssh_string(out, as_bytes(text));
  return out;
}

// Answers each message with itself, and a "!"; "wait" once it may go on; "much" by much.
class AgentServerTest : public testing::Test {
 protected:
  AgentServerTest() {
    std::string name = testing::TempDir() + "diglim_agent_XXXXXX";
    if (mkdtemp(name.data()) == nullptr) std::abort();
    folder_ = name;
  }
  ~AgentServerTest() override {
    end();
    std::error_code ignored;  // a left-over directory in /tmp is no reason to fail
    std::filesystem::remove_all(folder_, ignored);
  }
  std::string path() const { return folder_ + "/socket"; }

  void begin(const AgentLimits& limits = {}) {
    auto listener = listen_at(path());
    ASSERT_TRUE(listener) << listener.error().message;
    listeners_.push_back(*std::move(listener));
    serving_ = std::thread([this, limits] {
      const auto served = serve_agent(
          listeners_, stop_, limits,
          [this](ByteView text, AgentClient& client, std::chrono::milliseconds) {
            ++asked_;
            uid_ = client.uid;
            eventfd_t ignored = 0;
            if (as_text(text) == "wait") (void)eventfd_read(go_on_.get(), &ignored);
            if (as_text(text) == "much") return Bytes(8u << 20);  // more than a socket holds
            return message(std::string(as_text(text)) + "!");
          },
          [this](const std::string& text) { said_ = text; });
      EXPECT_TRUE(served);
    });
  }
  void end() {
    go_on();
    (void)eventfd_write(stop_.get(), 1);
    if (serving_.joinable()) serving_.join();
  }
  void go_on() { (void)eventfd_write(go_on_.get(), 1); }
  Fd client() const {
    Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address = {AF_UNIX, {}};
    std::memcpy(address.sun_path, path().c_str(), path().size() + 1);
    EXPECT_EQ(connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    return fd;
  }
  static void put(const Fd& fd, ByteView bytes) { ASSERT_TRUE(write_bytes(fd, "socket", bytes)); }
  // What comes next; empty: the other end closed.
  static std::string get(const Fd& fd) {
    Bytes bytes;
    EXPECT_TRUE(read_up_to(fd, "socket", kAgentHeaderBytes, bytes));
    if (bytes.size() < kAgentHeaderBytes) return {};
    EXPECT_TRUE(read_up_to(fd, "socket", kAgentHeaderBytes + load_u32_be(bytes), bytes));
    return std::string(as_text(bytes).substr(kAgentHeaderBytes));
  }
  static std::string ask(const Fd& fd, std::string_view text) {
    put(fd, message(text));
    return get(fd);
  }

  std::string folder_;
  std::vector<Fd> listeners_;
  Fd stop_{eventfd(0, EFD_CLOEXEC)};
  Fd go_on_{eventfd(0, EFD_CLOEXEC)};
  std::thread serving_;
  std::atomic<int> asked_ = 0;
  std::atomic<uid_t> uid_ = 0;
  std::string said_;
};

TEST_F(AgentServerTest, AnswersInOrder) {
  begin();
  const Fd fd = client();
  EXPECT_EQ(ask(fd, "one"), "one!");
  EXPECT_EQ(ask(fd, "two"), "two!");
  Bytes both = message("three");
  append(both, message("four"));
  put(fd, both);
  EXPECT_EQ(get(fd), "three!");
  EXPECT_EQ(get(fd), "four!");
  EXPECT_EQ(uid_, getuid());
}

TEST_F(AgentServerTest, ItsSocketIsItsOwners) {
  begin();
  struct stat info = {};
  ASSERT_EQ(stat(path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
}

TEST_F(AgentServerTest, TakesTheLargestMessageInPieces) {
  begin();
  const std::string largest(kMaxAgentMessage, 'x');
  EXPECT_EQ(ask(client(), largest), largest + "!");
  const Fd fd = client();
  for (const uint8_t byte : message("slowly")) put(fd, Bytes{byte});
  EXPECT_EQ(get(fd), "slowly!");
}

TEST_F(AgentServerTest, WhatIsNoMessageEndsTheConnection) {
  begin();
  for (const char* bad : {"00000000", "00040001", "ffffffff", "474554202f"}) {
    const Fd fd = client();
    put(fd, *from_hex(bad));
    EXPECT_EQ(get(fd), "") << bad;
  }
  EXPECT_EQ(asked_, 0);
  EXPECT_EQ(ask(client(), "still"), "still!");
}

TEST_F(AgentServerTest, WhoStallsKeepsNobodyWaiting) {
  begin();
  const Fd half = client();
  put(half, *from_hex("0000000a01"));
  const Fd idle = client();
  std::vector<Fd> many;
  for (int i = 0; i < 100; ++i) {
    many.push_back(client());
    put(many.back(), message(std::to_string(i)));
  }
  for (int i = 99; i >= 0; --i) EXPECT_EQ(get(many[static_cast<size_t>(i)]), std::to_string(i) + "!");
  put(half, as_bytes("234567890"));
  EXPECT_EQ(get(half), "\001234567890!");
  EXPECT_EQ(ask(idle, "awake"), "awake!");
}

TEST_F(AgentServerTest, WhoStallsForTooLongIsLetGo) {
  begin({.clients = 10, .stalled = std::chrono::milliseconds(1)});
  const Fd idle = client();
  const Fd half = client();
  put(half, *from_hex("0000000a01"));
  EXPECT_EQ(get(half), "");
  EXPECT_EQ(ask(idle, "still"), "still!");
}

TEST_F(AgentServerTest, AnAnswerThatNobodyReadsIsLetGo) {
  begin({.clients = 1, .stalled = std::chrono::milliseconds(1)});
  const Fd deaf = client();
  put(deaf, message("much"));
  EXPECT_EQ(ask(client(), "next"), "next!");  // who has room once the other has gone
}

TEST_F(AgentServerTest, WhoGoesWhileItWaitsIsForgotten) {
  begin();
  {
    const Fd first = client();
    put(first, message("wait"));
    while (asked_ == 0) std::this_thread::yield();
    Fd second = client();
    put(second, message("gone"));
    second = Fd();
    const Fd third = client();
    put(third, message("idle"));
    // The server looks at all of them before it takes what comes later.
    Fd late = client();
    put(late, *from_hex("00000000"));
    EXPECT_EQ(get(late), "");
    go_on();
    EXPECT_EQ(get(first), "wait!");
    EXPECT_EQ(get(third), "idle!");
  }
  EXPECT_EQ(ask(client(), "still"), "still!");
}

TEST_F(AgentServerTest, MoreThanItTakesWaitUntilOneGoes) {
  begin({.clients = 2});
  Fd one = client();
  const Fd two = client();
  EXPECT_EQ(ask(one, "1"), "1!");
  EXPECT_EQ(ask(two, "2"), "2!");
  const Fd three = client();  // in the queue of the socket
  put(three, message("3"));
  EXPECT_EQ(ask(two, "2"), "2!");
  EXPECT_EQ(asked_, 3);
  one = Fd();
  EXPECT_EQ(get(three), "3!");
  end();
  EXPECT_THAT(said_, testing::HasSubstr("2 clients are connected"));
}

TEST_F(AgentServerTest, AnOldSocketIsReplaced) {
  begin();
  EXPECT_EQ(listen_at(path()).error().code, ErrorCode::kUnsupported);
  end();
  listeners_.clear();
  EXPECT_TRUE(listen_at(path()));
  EXPECT_EQ(listen_at(folder_ + "/" + std::string(200, 'x')).error().code, ErrorCode::kInvalid);
  ASSERT_TRUE(write_file_atomically(folder_ + "/file", as_bytes("mine"), 0600));
  EXPECT_FALSE(listen_at(folder_ + "/file"));
  EXPECT_TRUE(read_file(folder_ + "/file", 10));
}

}  // namespace
}  // namespace diglim
