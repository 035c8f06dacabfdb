// SPDX-License-Identifier: Apache-2.0
// One signature packet (RFC 9580 section 5.2), taken apart: what it says, what it hashes, and whether a key
// made it. signature.h (documents) and certificate.h (self-signatures) decide whether it *counts*.
#pragma once

#include <array>
#include <initializer_list>
#include <optional>

#include "lib/openpgp/certificate.h"
#include "lib/openpgp/packet.h"
#include "lib/openpgp/subpackets.h"

namespace diglim::openpgp {

constexpr size_t kMaxSignatureBytes = 65536;

// Signature types (section 5.2.1).
enum SignatureType : uint8_t {
  kBinary = 0x00,
  kText = 0x01,
  kGenericCertification = 0x10,
  kPositiveCertification = 0x13,
  kSubkeyBinding = 0x18,
  kPrimaryKeyBinding = 0x19,
  kDirectKey = 0x1f,
  kKeyRevocation = 0x20,
  kSubkeyRevocation = 0x28,
};

// Its views are into the packet's bytes.
struct SignaturePacket {
  uint8_t version = 0;
  uint8_t type = 0;
  uint8_t algorithm = 0;
  uint8_t hash_number = 0;
  std::optional<HashAlgo> hash;  // none: not supported
  Subpackets said;               // v3: its time and key id only
  ByteView salt;                 // v6; hashed before everything else
  Bytes trailer;                 // hashed after everything else (section 5.2.4)
  std::array<uint8_t, 2> left16 = {};
  // The numbers: RSA: one; ECDSA, EdDSA: two; Ed25519: the 64 bytes; other algorithms: none, as they are not
  // read.
  std::array<ByteView, 2> numbers;
};

// True if read_signature_packet() knows this version; kCorrupt if there is none.
Result<bool> has_known_version(const Packet& packet);

// REQUIRES: has_known_version(). Errors: kCorrupt; an algorithm or hash that is not supported is no error.
Result<SignaturePacket> read_signature_packet(const Packet& packet);

// The digest that is signed, `parts` being what the signature is over. REQUIRES: signature.hash.
Result<Bytes> signed_digest(const SignaturePacket& signature, std::initializer_list<ByteView> parts);

// The same of a signature over a document. Only the salt of a version 6 signature makes it hash the message
// anew.
Result<Bytes> signed_digest(const SignaturePacket& signature, MessageHash& message);

// May a key of that version have made a signature of this one (section 5.2.3: v6 by v6, the others by v4)?
constexpr bool versions_fit(uint8_t signature_version, uint8_t key_version) {
  return signature_version == 6 ? key_version == 6 : key_version == 4;
}

// False for a wrong left16, a key of another algorithm number (version 3 does not hash it, so nothing else
// would keep it from being changed), and one whose public_key is null. REQUIRES: signature.hash, and `digest`
// is of that algorithm.
bool verify(const SignaturePacket& signature, const Key& key, ByteView digest);

}  // namespace diglim::openpgp
