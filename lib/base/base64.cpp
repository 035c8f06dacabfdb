// SPDX-License-Identifier: Apache-2.0
#include "lib/base/base64.h"

namespace diglim {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

int base64_sextet(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return -1;
}

Result<Bytes> from_base64(std::string_view text, uint64_t base) {
  if (text.size() % 4 != 0) return corrupt(base, "base64 text whose length is no multiple of 4");
  size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  const size_t characters = text.size() - padding;

  Bytes out;
  out.reserve(text.size() / 4 * 3);
  uint32_t bits = 0;   // what was read and not yet written
  unsigned count = 0;  // how many bits that is
  for (size_t i = 0; i < characters; ++i) {
    const int value = base64_sextet(text[i]);
    if (value < 0) return corrupt(base + i, "not a base64 character");
    bits = bits << 6 | static_cast<uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out.push_back(static_cast<uint8_t>(bits >> count));
    bits &= (1u << count) - 1;
  }
  if (bits != 0) return corrupt(base + characters - 1, "base64 text with stray bits at its end");
  return out;
}

std::string to_base64(ByteView bytes) {
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](size_t k) { return i + k < bytes.size() ? uint32_t{bytes[i + k]} : 0u; };
    const uint32_t bits = byte(0) << 16 | byte(1) << 8 | byte(2);
    for (size_t k = 0; k < 4; ++k) {
      out += i + k <= bytes.size() ? kAlphabet[bits >> (18 - 6 * k) & 63] : '=';
    }
  }
  return out;
}

}  // namespace diglim
