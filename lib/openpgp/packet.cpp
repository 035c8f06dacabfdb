// SPDX-License-Identifier: Apache-2.0
#include "lib/openpgp/packet.h"

#include <bit>

namespace diglim::openpgp {
namespace {

Result<size_t> read_old_length(ByteReader& reader, uint8_t length_type) {
  switch (length_type) {
    case 0: {
      TRY_ASSIGN(const uint8_t length, reader.u8());
      return size_t{length};
    }
    case 1: {
      TRY_ASSIGN(const uint16_t length, reader.u16_be());
      return size_t{length};
    }
    case 2: {
      TRY_ASSIGN(const uint32_t length, reader.u32_be());
      return size_t{length};
    }
    default:
      return corrupt(reader.offset(), "a packet of indeterminate length is not accepted");
  }
}

Result<size_t> read_new_length(ByteReader& reader) {
  const uint64_t offset = reader.offset();
  TRY_ASSIGN(const uint8_t first, reader.u8());
  if (first < 192) return size_t{first};
  if (first < 224) {
    TRY_ASSIGN(const uint8_t second, reader.u8());
    return (size_t{first} - 192) * 256 + second + 192;
  }
  if (first < 255) return corrupt(offset, "a partial packet length is not accepted");
  TRY_ASSIGN(const uint32_t length, reader.u32_be());
  return size_t{length};
}

}  // namespace

Result<Packet> read_packet(ByteReader& reader) {
  Packet packet;
  packet.offset = reader.offset();
  TRY_ASSIGN(const uint8_t header, reader.u8());
  if ((header & 0x80) == 0) return corrupt(packet.offset, "not an OpenPGP packet header");
  size_t length = 0;
  if ((header & 0x40) != 0) {
    packet.type = header & 0x3f;
    TRY_ASSIGN(length, read_new_length(reader));
  } else {
    packet.type = header >> 2 & 0x0f;
    TRY_ASSIGN(length, read_old_length(reader, header & 3));
  }
  if (packet.type == 0) return corrupt(packet.offset, "packet type 0 is reserved");
  packet.body_offset = reader.offset();
  TRY_ASSIGN(packet.body, reader.bytes(length));
  return packet;
}

bool is_packet_header(uint8_t byte, PacketType type) {
  const bool is_new = byte == (0xc0 | type);
  const bool is_old = type < 16 && (byte & 0xfc) == (0x80 | type << 2) && (byte & 3) != 3;
  return is_new || is_old;
}

Result<ByteView> read_mpi(ByteReader& reader) {
  const uint64_t offset = reader.offset();
  TRY_ASSIGN(const uint16_t bits, reader.u16_be());
  if (bits > kMaxMpiBits) return corrupt(offset, "an integer of more than 16384 bits");
  TRY_ASSIGN(ByteView bytes, reader.bytes((bits + 7u) / 8));
  const int in_first_byte = (bits + 7) % 8 + 1;
  if (!bytes.empty() && std::bit_width(bytes[0]) != in_first_byte) {
    const bool counted_a_zero = bytes[0] == 0 && in_first_byte == 1;
    if (!counted_a_zero) return corrupt(offset, "the bit count of an integer is wrong");
  }
  while (!bytes.empty() && bytes[0] == 0) bytes = bytes.subspan(1);
  return bytes;
}

}  // namespace diglim::openpgp
