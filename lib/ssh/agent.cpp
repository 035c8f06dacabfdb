// SPDX-License-Identifier: Apache-2.0
#include "lib/ssh/agent.h"

#include "lib/ssh/wire.h"

namespace diglim {
namespace {

constexpr uint8_t kFailure = 5;
constexpr uint8_t kSuccess = 6;
constexpr uint8_t kRequestIdentities = 11;
constexpr uint8_t kIdentitiesAnswer = 12;
constexpr uint8_t kSignRequest = 13;
constexpr uint8_t kSignResponse = 14;
constexpr uint8_t kExtension = 27;
constexpr std::string_view kSessionBind = "session-bind@openssh.com";

Bytes with_header(ByteView message) {
  Bytes out;
  put_ssh_string(out, message);
  return out;
}

Result<void> at_end(const ByteReader& in) {
  if (!in.empty()) return corrupt(in.offset(), "bytes after the message");
  return {};
}

Result<AgentRequest> read_sign(ByteReader& in) {
  AgentSign sign = {};
  TRY_ASSIGN(sign.key, read_ssh_string(in));
  TRY_ASSIGN(sign.data, read_ssh_string(in));
  TRY_ASSIGN(sign.flags, in.u32_be());
  TRY(at_end(in));
  return AgentRequest(sign);
}

Result<AgentRequest> read_extension(ByteReader& in) {
  TRY_ASSIGN(const ByteView name, read_ssh_string(in));
  if (as_text(name) != kSessionBind) return AgentRequest(AgentOther{kExtension});
  for (int i = 0; i < 3; ++i) TRY(read_ssh_string(in));  // host key, session, signature
  TRY_ASSIGN(const uint8_t forwarded, in.u8());
  TRY(at_end(in));
  return AgentRequest(AgentBind{forwarded != 0});
}

}  // namespace

Result<std::optional<size_t>> agent_message_size(ByteView received) {
  if (received.size() < kAgentHeaderBytes) return std::optional<size_t>();
  const size_t size = load_u32_be(received);
  if (size == 0 || size > kMaxAgentMessage)
    return corrupt(0, "a message of " + std::to_string(size) + " bytes");
  if (received.size() - kAgentHeaderBytes < size) return std::optional<size_t>();
  return std::optional<size_t>(size);
}

Result<AgentRequest> read_agent_request(ByteView message) {
  ByteReader in(message);
  TRY_ASSIGN(const uint8_t type, in.u8());
  if (type == kSignRequest) return read_sign(in);
  if (type == kExtension) return read_extension(in);
  if (type != kRequestIdentities) return AgentRequest(AgentOther{type});
  TRY(at_end(in));
  return AgentRequest(AgentListKeys{});
}

Bytes agent_failure() {
  return with_header(Bytes{kFailure});
}

Bytes agent_success() {
  return with_header(Bytes{kSuccess});
}

Bytes agent_keys(const std::vector<AgentIdentity>& keys) {
  Bytes message = {kIdentitiesAnswer};
  put_u32_be(message, static_cast<uint32_t>(keys.size()));
  for (const AgentIdentity& one : keys) {
    put_ssh_string(message, one.key);
    put_ssh_string(message, as_bytes(one.comment));
  }
  return with_header(message);
}

Bytes agent_signature(ByteView signature) {
  Bytes message = {kSignResponse};
  put_ssh_string(message, signature);
  return with_header(message);
}

}  // namespace diglim
