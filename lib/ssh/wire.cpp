// SPDX-License-Identifier: Apache-2.0
#include "lib/ssh/wire.h"

#include <algorithm>

namespace diglim {

void put_ssh_string(Bytes& out, ByteView content) {
  put_u32_be(out, static_cast<uint32_t>(content.size()));
  append(out, content);
}

void put_ssh_mpint(Bytes& out, ByteView number) {
  const auto first = std::ranges::find_if(number, [](uint8_t byte) { return byte != 0; });
  const ByteView digits = number.subspan(static_cast<size_t>(first - number.begin()));
  const bool looks_negative = !digits.empty() && (digits.front() & 0x80) != 0;
  put_u32_be(out, static_cast<uint32_t>(digits.size() + (looks_negative ? 1 : 0)));
  if (looks_negative) out.push_back(0);
  append(out, digits);
}

Result<ByteView> read_ssh_string(ByteReader& in) {
  TRY_ASSIGN(const uint32_t size, in.u32_be());
  return in.bytes(size);
}

}  // namespace diglim
