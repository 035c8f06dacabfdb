// SPDX-License-Identifier: Apache-2.0
#include "lib/tpm/waiting.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/file.h"

namespace diglim {
namespace {

// A transport as tcti-device: it asks for POLLOUT, too.
struct Device {
  TSS2_TCTI_CONTEXT_COMMON_V1 common = {};  // first: tpm2-tss knows it by that
  int ours = -1;
  int received = 0;

  static Device& of(TSS2_TCTI_CONTEXT* context) { return *reinterpret_cast<Device*>(context); }
  static TSS2_RC transmit(TSS2_TCTI_CONTEXT*, size_t, const uint8_t*) { return TSS2_RC_SUCCESS; }
  static TSS2_RC receive(TSS2_TCTI_CONTEXT* context, size_t*, uint8_t*, int32_t) {
    ++of(context).received;
    return TSS2_RC_SUCCESS;
  }
  static TSS2_RC poll_handles(TSS2_TCTI_CONTEXT* context, TSS2_TCTI_POLL_HANDLE* handles, size_t* count) {
    *count = 1;
    handles[0] = {of(context).ours, POLLIN | POLLOUT, 0};
    return TSS2_RC_SUCCESS;
  }
};

class WaitingTest : public testing::Test {
 protected:
  WaitingTest() {
    int pair[2] = {-1, -1};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    ours_ = Fd(pair[0]);
    theirs_ = Fd(pair[1]);
    device_.common.magic = 1;
    device_.common.version = 1;
    device_.common.transmit = Device::transmit;
    device_.common.receive = Device::receive;
    device_.common.getPollHandles = Device::poll_handles;
    device_.ours = ours_.get();
  }
  TSS2_RC ask() {
    waiting_.set_deadline(std::chrono::steady_clock::now() + std::chrono::milliseconds(50));
    const uint8_t command = 0;
    EXPECT_EQ(Tss2_Tcti_Transmit(waiting_.context(), 1, &command), TSS2_RC_SUCCESS);
    size_t size = 0;
    return Tss2_Tcti_Receive(waiting_.context(), &size, nullptr, TSS2_TCTI_TIMEOUT_BLOCK);
  }

  Fd ours_;
  Fd theirs_;
  Device device_;
  WaitingTcti waiting_{reinterpret_cast<TSS2_TCTI_CONTEXT*>(&device_)};
};

TEST_F(WaitingTest, ADeviceThatCouldTakeACommandHasNotAnswered) {
  EXPECT_EQ(ask(), TSS2_RC{TSS2_TCTI_RC_IO_ERROR});
  EXPECT_TRUE(waiting_.timed_out());
  EXPECT_EQ(device_.received, 0);
}

TEST_F(WaitingTest, AnAnswerIsRead) {
  ASSERT_EQ(write(theirs_.get(), "x", 1), 1);
  EXPECT_EQ(ask(), TSS2_RC_SUCCESS);
  EXPECT_EQ(device_.received, 1);
}

TEST_F(WaitingTest, ABrokenConnectionIsAnErrorAtOnce) {
  int pipes[2] = {-1, -1};
  ASSERT_EQ(pipe(pipes), 0);
  const Fd reading(pipes[0]);
  { const Fd writing(pipes[1]); }
  device_.ours = reading.get();  // POLLHUP, and nothing to read
  EXPECT_EQ(ask(), TSS2_RC{TSS2_TCTI_RC_IO_ERROR});
  EXPECT_FALSE(waiting_.timed_out());
  EXPECT_EQ(device_.received, 0);
}

}  // namespace
}  // namespace diglim
