// SPDX-License-Identifier: Apache-2.0
// Messages of the SSH agent protocol (draft-ietf-sshm-ssh-agent; OpenSSH's PROTOCOL.agent), as an agent sees
// them that holds keys and takes none. See FORMAT.md.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "lib/base/bytes.h"

namespace diglim {

constexpr size_t kAgentHeaderBytes = 4;          // the length, in front of each message
constexpr size_t kMaxAgentMessage = 256u << 10;  // as OpenSSH's agent; without the header

// Whole messages that begin at the start of `received`: its size without the header, or nothing yet.
// kCorrupt: empty, or longer than kMaxAgentMessage: nothing that follows can be told apart.
Result<std::optional<size_t>> agent_message_size(ByteView received);

// What is asked. Views are into the message.
struct AgentListKeys {};
struct AgentSign {
  ByteView key;   // blob
  ByteView data;  // to be hashed and signed
  uint32_t flags;
};
// session-bind@openssh.com: whose connection this is. Its signature is not verified: it serves only to say
// that a connection was forwarded, which makes less possible.
struct AgentBind {
  bool forwarded;
};
struct AgentOther {
  uint8_t type;
};
using AgentRequest = std::variant<AgentListKeys, AgentSign, AgentBind, AgentOther>;

// `message`: without the header. kCorrupt: cut, or with bytes after what it says. Extensions that are unknown
// are AgentOther, as are all messages that add, remove, lock and so on.
Result<AgentRequest> read_agent_request(ByteView message);

struct AgentIdentity {
  Bytes key;  // blob
  std::string comment;
};

// Answers, with their header.
Bytes agent_failure();
Bytes agent_success();
Bytes agent_keys(const std::vector<AgentIdentity>& keys);
Bytes agent_signature(ByteView signature);

}  // namespace diglim
