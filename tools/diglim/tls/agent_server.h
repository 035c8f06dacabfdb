// SPDX-License-Identifier: Apache-2.0
// The sockets of an SSH agent: many clients at once, one answer at a time, since one TPM gives them. A client
// that sends half a message, or does not read its answer, keeps nobody waiting and is let go after a while.
// An idle one stays: sshd keeps a connection for as long as a session lasts.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "lib/base/file.h"

namespace diglim {

// Who asks, for as long as its connection is.
struct AgentClient {
  pid_t pid = 0;
  uid_t uid = 0;
  bool forwarded = false;  // for the answers to keep
};

// `message`: without its header. `waited`: until its turn came. Gives the answer with its header. Called by
// one thread, which is not that of serve_agent().
using AgentAnswer =
    std::function<Bytes(ByteView message, AgentClient& client, std::chrono::milliseconds waited)>;

struct AgentLimits {
  size_t clients = 1024;                     // then others wait until one goes
  std::chrono::milliseconds stalled{10000};  // for the rest of a message, or for its answer to be read
};

// Until `stop` can be read. `listeners`: listening sockets of type SOCK_STREAM, which it makes non-blocking.
// `complain`: one line, seldom. kIo: the system has no more memory or descriptors for itself.
Result<void> serve_agent(const std::vector<Fd>& listeners, const Fd& stop, const AgentLimits& limits,
                         const AgentAnswer& answer, const std::function<void(const std::string&)>& complain);

// A socket at `path` that its owner alone can open. One that nobody listens to any more is replaced.
// kUnsupported: somebody does listen; kInvalid: a path that is too long.
Result<Fd> listen_at(const std::string& path);

}  // namespace diglim
