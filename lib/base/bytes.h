// SPDX-License-Identifier: Apache-2.0
// Owned bytes, views of bytes, and the one bounds-checked reader that all parsers of untrusted input use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"

namespace diglim {

using Bytes = std::vector<uint8_t>;
using ByteView = std::span<const uint8_t>;  // never owns; valid as long as what it was made from

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes to_bytes(ByteView view) {
  return Bytes(view.begin(), view.end());
}
inline void append(Bytes& to, ByteView what) {
  to.insert(to.end(), what.begin(), what.end());
}

// Lower-case hexadecimal, two characters a byte.
std::string to_hex(ByteView bytes);
// kInvalid for an odd length or a character that is not hexadecimal. Accepts both cases.
Result<Bytes> from_hex(std::string_view text);
// The same behind what `out` holds, without the cost of an Error. False: not hexadecimal, and `out` is of no
// use.
bool append_hex(Bytes& out, std::string_view text);

// Big-endian, of the first four bytes. REQUIRES: there are as many.
inline uint32_t load_u32_be(ByteView bytes) {
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
}

// Writers of fixed-width integers, for formats and for tests that make them.
void put_u16_be(Bytes& out, uint16_t value);
void put_u32_be(Bytes& out, uint32_t value);
void put_u16_le(Bytes& out, uint16_t value);
void put_u32_le(Bytes& out, uint32_t value);
void put_u64_le(Bytes& out, uint64_t value);

// Reads forward through a view. Every read is checked: past the end gives kCorrupt with the offset where the
// read began ("offset 12: 4 bytes wanted, 2 left"). `base` is where the view starts in the file that the
// user named, so that the offsets in errors are file offsets.
class ByteReader {
 public:
  explicit ByteReader(ByteView data, uint64_t base = 0) : data_(data), base_(base) {}

  size_t remaining() const { return data_.size() - position_; }
  bool empty() const { return remaining() == 0; }
  size_t position() const { return position_; }          // from the start of the view
  uint64_t offset() const { return base_ + position_; }  // from the start of the file
  ByteView rest() const { return data_.subspan(position_); }

  Result<uint8_t> u8();
  Result<uint16_t> u16_be();
  Result<uint32_t> u32_be();
  Result<uint16_t> u16_le();
  Result<uint32_t> u32_le();
  Result<uint64_t> u64_le();
  Result<ByteView> bytes(size_t count);
  Result<void> skip(size_t count);
  // A reader over the next `count` bytes, which this one then has passed.
  Result<ByteReader> sub(size_t count);

 private:
  ByteView data_;
  uint64_t base_;
  size_t position_ = 0;
};

}  // namespace diglim
