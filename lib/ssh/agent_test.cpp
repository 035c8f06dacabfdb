// SPDX-License-Identifier: Apache-2.0
#include "lib/ssh/agent.h"

#include <gtest/gtest.h>

#include "lib/ssh/wire.h"

namespace diglim {
namespace {

Bytes sign_request(uint32_t flags = 0) {
  Bytes message = {13};
  put_ssh_string(message, as_bytes("key"));
  put_ssh_string(message, as_bytes("data"));
  put_u32_be(message, flags);
  return message;
}

Bytes bind_request(uint8_t forwarded) {
  Bytes message = {27};
  for (const char* text : {"session-bind@openssh.com", "host key", "session", "signature"})
    put_ssh_string(message, as_bytes(text));
  message.push_back(forwarded);
  return message;
}

TEST(SshAgent, TellsMessagesApart) {
  EXPECT_FALSE(agent_message_size(*from_hex("000000")).value());
  EXPECT_FALSE(agent_message_size(*from_hex("0000000211")).value());
  EXPECT_EQ(agent_message_size(*from_hex("000000010b")).value(), 1U);
  EXPECT_EQ(agent_message_size(*from_hex("000000010b00000001")).value(), 1U);
  EXPECT_FALSE(agent_message_size(*from_hex("00040000")).value());
  EXPECT_EQ(agent_message_size(*from_hex("00040001")).error().message, "offset 0: a message of 262145 bytes");
  EXPECT_FALSE(agent_message_size(*from_hex("ffffffff0b")));
  EXPECT_FALSE(agent_message_size(*from_hex("000000000b")));
}

TEST(SshAgent, ReadsWhatIsAsked) {
  EXPECT_TRUE(std::holds_alternative<AgentListKeys>(*read_agent_request(Bytes{11})));
  const Bytes message = sign_request(4);
  const auto request = read_agent_request(message);
  ASSERT_TRUE(request);
  const auto& sign = std::get<AgentSign>(*request);
  EXPECT_EQ(as_text(sign.key), "key");
  EXPECT_EQ(as_text(sign.data), "data");
  EXPECT_EQ(sign.flags, 4U);
  EXPECT_TRUE(std::get<AgentBind>(*read_agent_request(bind_request(1))).forwarded);
  EXPECT_FALSE(std::get<AgentBind>(*read_agent_request(bind_request(0))).forwarded);
}

TEST(SshAgent, LeavesTheRestToOthers) {
  for (const uint8_t type : std::initializer_list<uint8_t>{1, 9, 17, 18, 19, 20, 22, 25, 255})
    EXPECT_EQ(std::get<AgentOther>(*read_agent_request(Bytes{type, 1, 2})).type, type);
  Bytes query = {27};
  put_ssh_string(query, as_bytes("query"));
  EXPECT_EQ(std::get<AgentOther>(*read_agent_request(query)).type, 27);
}

TEST(SshAgent, RefusesEachCutAndEachByteTooMany) {
  EXPECT_FALSE(read_agent_request({}));
  EXPECT_FALSE(read_agent_request(Bytes{11, 0}));
  for (const Bytes& whole : {sign_request(), bind_request(1)}) {
    ASSERT_TRUE(read_agent_request(whole));
    for (size_t size = 1; size < whole.size(); ++size)
      EXPECT_FALSE(read_agent_request(ByteView(whole).first(size))) << size;
    Bytes longer = whole;
    longer.push_back(0);
    EXPECT_FALSE(read_agent_request(longer));
  }
  EXPECT_FALSE(read_agent_request(*from_hex("0dffffffff00")));
}

TEST(SshAgent, Answers) {
  EXPECT_EQ(to_hex(agent_failure()), "0000000105");
  EXPECT_EQ(to_hex(agent_success()), "0000000106");
  EXPECT_EQ(to_hex(agent_keys({})), "000000050c00000000");
  EXPECT_EQ(to_hex(agent_keys({{{1, 2}, "me"}})), "000000110c00000001000000020102000000026d65");
  EXPECT_EQ(to_hex(agent_signature(Bytes{7})), "000000060e0000000107");
}

}  // namespace
}  // namespace diglim
