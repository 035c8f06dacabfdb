// SPDX-License-Identifier: Apache-2.0
// Goal: nothing that comes in by an agent's socket crashes it. Expected: what is read is inside the message;
// what is written is read back; a signature in OpenSSL's form gives numbers without a sign.
#include <cstdlib>

#include "lib/ssh/agent.h"
#include "lib/ssh/key.h"
#include "lib/ssh/wire.h"

namespace diglim {
namespace {

void check(bool truth) {
  if (!truth) std::abort();
}

bool inside(ByteView part, ByteView whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void read_request(ByteView message) {
  const auto request = read_agent_request(message);
  if (!request) {
    check(!request.error().message.empty());
    return;
  }
  const auto* sign = std::get_if<AgentSign>(&*request);
  if (sign == nullptr) return;
  check(inside(sign->key, message) && inside(sign->data, message));
  Bytes again = {message[0]};
  put_ssh_string(again, sign->key);
  put_ssh_string(again, sign->data);
  put_u32_be(again, sign->flags);
  check(again == to_bytes(message));
}

// As a server takes one message after the other from what came.
void read_stream(ByteView received) {
  for (;;) {
    const auto size = agent_message_size(received);
    if (!size || !*size) return;
    check(**size > 0 && **size <= received.size() - kAgentHeaderBytes);
    read_request(received.subspan(kAgentHeaderBytes, **size));
    received = received.subspan(kAgentHeaderBytes + **size);
  }
}

void convert_signature(ByteView der) {
  const auto made = ssh_signature({"ecdsa-sha2-nistp256", HashAlgo::kSha256}, der);
  if (!made) return;
  ByteReader whole(*made);
  check(read_ssh_string(whole).has_value());
  ByteReader pair(*read_ssh_string(whole));
  check(whole.empty());
  for (int i = 0; i < 2; ++i) {
    const auto number = read_ssh_string(pair);
    check(number.has_value() && !number->empty() && ((*number)[0] & 0x80) == 0);
    check((*number)[0] != 0 || (number->size() > 1 && ((*number)[1] & 0x80) != 0));
  }
  check(pair.empty());
}

}  // namespace
}  // namespace diglim

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const diglim::ByteView bytes(data, size);
  diglim::read_request(bytes);
  diglim::read_stream(bytes);
  diglim::convert_signature(bytes);
  return 0;
}
