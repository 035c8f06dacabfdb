// SPDX-License-Identifier: Apache-2.0
#include "lib/openpgp/packet.h"

#include <gtest/gtest.h>

namespace diglim::openpgp {
namespace {

std::string read(const Bytes& bytes) {
  ByteReader reader(bytes);
  const auto packet = read_packet(reader);
  if (!packet) return packet.error().message;
  return std::to_string(packet->type) + ": " + to_hex(packet->body) + ", " +
         std::to_string(reader.remaining()) + " left";
}

TEST(Packet, ReadsEveryKindOfLength) {
  EXPECT_EQ(read({0x88, 1, 0xaa, 0xbb}), "2: aa, 1 left");
  EXPECT_EQ(read({0x89, 0, 1, 0xaa}), "2: aa, 0 left");
  EXPECT_EQ(read({0x8a, 0, 0, 0, 1, 0xaa}), "2: aa, 0 left");
  EXPECT_EQ(read({0xc2, 1, 0xaa}), "2: aa, 0 left");
  EXPECT_EQ(read({0xc2, 0}), "2: , 0 left");
  EXPECT_EQ(read({0xc2, 0xff, 0, 0, 0, 1, 0xaa}), "2: aa, 0 left");
  Bytes two = {0xcd, 0xc0, 0x00};  // 192
  two.resize(2 + 1 + 192, 0x61);
  EXPECT_EQ(read(two), "13: " + to_hex(Bytes(192, 0x61)) + ", 0 left");
}

TEST(Packet, RefusesWhatHasNoEndOrNoSense) {
  EXPECT_EQ(read({}), "offset 0: 1 bytes wanted, 0 left");
  EXPECT_EQ(read({0x42, 0}), "offset 0: not an OpenPGP packet header");
  EXPECT_EQ(read({0xc0, 0}), "offset 0: packet type 0 is reserved");
  EXPECT_EQ(read({0x8b, 1}), "offset 1: a packet of indeterminate length is not accepted");
  EXPECT_EQ(read({0xc2, 0xe1, 1, 2}), "offset 1: a partial packet length is not accepted");
  EXPECT_EQ(read({0xc2, 0xff, 0xff, 0xff, 0xff, 0xff}), "offset 6: 4294967295 bytes wanted, 0 left");
  EXPECT_EQ(read({0xc2, 2, 1}), "offset 2: 2 bytes wanted, 1 left");
}

TEST(Packet, KnowsAFirstByte) {
  for (int byte = 0; byte < 256; ++byte) {
    const bool expected = byte == 0x98 || byte == 0x99 || byte == 0x9a || byte == 0xc6;
    EXPECT_EQ(is_packet_header(static_cast<uint8_t>(byte), kPublicKeyPacket), expected) << byte;
  }
  EXPECT_FALSE(is_packet_header(0xd4, kPaddingPacket)) << "old headers have four bits for the type";
}

std::string mpi(const Bytes& bytes) {
  ByteReader reader(bytes);
  const auto number = read_mpi(reader);
  return number ? to_hex(*number) : number.error().message;
}

TEST(Mpi, TheBitCountIsThatOfTheNumber) {
  EXPECT_EQ(mpi({0, 0}), "");
  EXPECT_EQ(mpi({0, 1, 1}), "01");
  EXPECT_EQ(mpi({0, 9, 1, 0xff}), "01ff");
  EXPECT_EQ(mpi({0, 8, 0xff}), "ff");
  for (const Bytes& wrong : {Bytes{0, 8, 0x7f}, Bytes{0, 7, 0xff}, Bytes{0, 16, 0, 1}, Bytes{0, 10, 0, 1}}) {
    EXPECT_EQ(mpi(wrong), "offset 0: the bit count of an integer is wrong") << to_hex(wrong);
  }
  EXPECT_EQ(mpi({0, 9, 0, 0x3d}), "3d") << "as Microsoft's signer writes it";
  EXPECT_EQ(mpi({0, 17, 0, 0, 1}), "01");
  EXPECT_EQ(mpi({0x40, 0x01, 1}), "offset 0: an integer of more than 16384 bits");
  EXPECT_EQ(mpi({0, 9, 1}), "offset 2: 2 bytes wanted, 1 left");
}

}  // namespace
}  // namespace diglim::openpgp
