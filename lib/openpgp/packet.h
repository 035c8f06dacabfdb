// SPDX-License-Identifier: Apache-2.0
// OpenPGP packet framing (RFC 9580 section 4.2) and multiprecision integers (section 3.2).
#pragma once

#include "lib/base/bytes.h"

namespace diglim::openpgp {

// Packet types (RFC 9580 section 5) that mean something here.
enum PacketType : uint8_t {
  kSignaturePacket = 2,
  kSecretKeyPacket = 5,
  kPublicKeyPacket = 6,
  kSecretSubkeyPacket = 7,
  kMarkerPacket = 10,
  kTrustPacket = 12,
  kUserIdPacket = 13,
  kPublicSubkeyPacket = 14,
  kUserAttributePacket = 17,
  kPaddingPacket = 21,
};

constexpr size_t kMaxMpiBits = 16384;

struct Packet {
  uint8_t type = 0;
  ByteView body;
  uint64_t offset = 0;       // of the packet header, in the file
  uint64_t body_offset = 0;  // of the body
};

// The next packet; `reader` is then after it. Old and new headers. Partial lengths are for data packets
// only (section 4.2.1.4) and refused, and so is the old indeterminate length, under which a packet would
// swallow whatever follows. Errors: kCorrupt.
Result<Packet> read_packet(ByteReader& reader);

// Could this be the first byte of a packet of that type, with a length that read_packet() accepts?
bool is_packet_header(uint8_t byte, PacketType type);

// The bytes of an integer, most significant first, without leading zeros; empty for zero. kCorrupt for more
// than kMaxMpiBits, and where the bit count is not that of the number: section 3.2 asks for it in v6, Sequoia
// asks for it everywhere. One exception: a first byte of 0 that is counted as one bit. Microsoft's signer
// writes so (2 of the 129 packages of selftests/real_input have it), and rpm takes it.
Result<ByteView> read_mpi(ByteReader& reader);

}  // namespace diglim::openpgp
