// SPDX-License-Identifier: Apache-2.0
#include "lib/base/bytes.h"

#include <array>

namespace diglim {
namespace {

constexpr uint8_t kNoHex = 0xf0;  // bits that no value of a digit has

constexpr std::array<uint8_t, 256> make_hex_values() {
  std::array<uint8_t, 256> values = {};
  values.fill(kNoHex);
  for (uint8_t i = 0; i < 10; ++i) values['0' + i] = i;
  for (uint8_t i = 0; i < 6; ++i) values['a' + i] = values['A' + i] = static_cast<uint8_t>(10 + i);
  return values;
}
constexpr std::array<uint8_t, 256> kHexValues = make_hex_values();

template <typename T>
T load_be(ByteView bytes) {
  T value = 0;
  for (uint8_t byte : bytes) value = static_cast<T>(value << 8 | byte);
  return value;
}

template <typename T>
T load_le(ByteView bytes) {
  T value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = static_cast<T>(value << 8 | bytes[i]);
  return value;
}

template <typename T>
void put_le(Bytes& out, T value) {
  for (size_t i = 0; i < sizeof(T); ++i) out.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

template <typename T>
void put_be(Bytes& out, T value) {
  for (size_t i = sizeof(T); i-- > 0;) out.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

}  // namespace

std::string to_hex(ByteView bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (uint8_t byte : bytes) {
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

bool append_hex(Bytes& out, std::string_view text) {
  if (text.size() % 2 != 0) return false;
  const size_t old_size = out.size();
  out.resize(old_size + text.size() / 2);
  uint8_t* to = out.data() + old_size;
  uint8_t seen = 0;
  for (size_t i = 0; i < text.size(); i += 2) {
    const uint8_t high = kHexValues[static_cast<uint8_t>(text[i])];
    const uint8_t low = kHexValues[static_cast<uint8_t>(text[i + 1])];
    seen |= high | low;
    *to++ = static_cast<uint8_t>(high << 4 | low);
  }
  return (seen & kNoHex) == 0;
}

Result<Bytes> from_hex(std::string_view text) {
  Bytes bytes;
  if (!append_hex(bytes, text)) return invalid("not hexadecimal, or of odd length");
  return bytes;
}

void put_u16_be(Bytes& out, uint16_t value) {
  put_be(out, value);
}
void put_u32_be(Bytes& out, uint32_t value) {
  put_be(out, value);
}
void put_u16_le(Bytes& out, uint16_t value) {
  put_le(out, value);
}
void put_u32_le(Bytes& out, uint32_t value) {
  put_le(out, value);
}
void put_u64_le(Bytes& out, uint64_t value) {
  put_le(out, value);
}

Result<ByteView> ByteReader::bytes(size_t count) {
  if (count > remaining()) {
    return corrupt(offset(),
                   std::to_string(count) + " bytes wanted, " + std::to_string(remaining()) + " left");
  }
  const ByteView view = data_.subspan(position_, count);
  position_ += count;
  return view;
}

Result<uint8_t> ByteReader::u8() {
  TRY_ASSIGN(const ByteView view, bytes(1));
  return view[0];
}

Result<uint16_t> ByteReader::u16_be() {
  TRY_ASSIGN(const ByteView view, bytes(2));
  return load_be<uint16_t>(view);
}

Result<uint32_t> ByteReader::u32_be() {
  TRY_ASSIGN(const ByteView view, bytes(4));
  return load_be<uint32_t>(view);
}

Result<uint16_t> ByteReader::u16_le() {
  TRY_ASSIGN(const ByteView view, bytes(2));
  return load_le<uint16_t>(view);
}

Result<uint32_t> ByteReader::u32_le() {
  TRY_ASSIGN(const ByteView view, bytes(4));
  return load_le<uint32_t>(view);
}

Result<uint64_t> ByteReader::u64_le() {
  TRY_ASSIGN(const ByteView view, bytes(8));
  return load_le<uint64_t>(view);
}

Result<void> ByteReader::skip(size_t count) {
  TRY(bytes(count));
  return {};
}

Result<ByteReader> ByteReader::sub(size_t count) {
  const uint64_t start = offset();
  TRY_ASSIGN(const ByteView view, bytes(count));
  return ByteReader(view, start);
}

}  // namespace diglim
