// SPDX-License-Identifier: Apache-2.0
// Writes seeds for ssh_agent_fuzz into the folder named by the first argument.
#include <cstdio>

#include "lib/base/file.h"
#include "lib/ssh/agent.h"
#include "lib/ssh/wire.h"

int main(int argc, char** argv) {
  using namespace diglim;
  if (argc != 2) return 2;
  bool ok = true;
  Bytes stream;
  const auto write = [&](const std::string& name, ByteView content) {
    const auto written = write_file_atomically(std::string(argv[1]) + "/" + name, content, 0644);
    if (!written) std::fprintf(stderr, "%s\n", written.error().message.c_str());
    ok = ok && written.has_value();
    put_ssh_string(stream, content);
  };
  const auto with_strings = [](uint8_t type, std::initializer_list<const char*> strings) {
    Bytes message = {type};
    for (const char* text : strings) put_ssh_string(message, as_bytes(text));
    return message;
  };
  write("list", Bytes{11});
  Bytes sign = with_strings(13, {"key", "data"});
  put_u32_be(sign, 4);
  write("sign", sign);
  Bytes bind = with_strings(27, {"session-bind@openssh.com", "host key", "session", "signature"});
  bind.push_back(1);
  write("bind", bind);
  write("query", with_strings(27, {"query"}));
  write("add", with_strings(17, {"ssh-rsa", "number"}));
  write("stream", Bytes(stream));
  write("signature", *from_hex("300802020080020200ff"));
  return ok ? 0 : 1;
}
