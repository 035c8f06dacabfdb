// SPDX-License-Identifier: Apache-2.0
#include "lib/openpgp/signature_packet.h"

#include <algorithm>

#include "lib/crypto/public_key.h"
#include "lib/openpgp/algorithm.h"

namespace diglim::openpgp {
namespace {

Result<void> read_left16(ByteReader& reader, SignaturePacket& out) {
  TRY_ASSIGN(const ByteView left, reader.bytes(2));
  std::copy(left.begin(), left.end(), out.left16.begin());
  return {};
}

Result<void> read_algorithms(ByteReader& reader, SignaturePacket& out) {
  TRY_ASSIGN(out.algorithm, reader.u8());
  TRY_ASSIGN(out.hash_number, reader.u8());
  out.hash = hash_from_openpgp(out.hash_number);
  return {};
}

// Version 3 (section 5.2.2): nothing of it is hashed but the type and the time.
Result<void> read_v3(ByteReader& reader, SignaturePacket& out) {
  const uint64_t offset = reader.offset();
  TRY_ASSIGN(const uint8_t hashed_size, reader.u8());
  if (hashed_size != 5) return corrupt(offset, "a version 3 signature hashes 5 bytes");
  out.trailer = to_bytes(reader.rest().first(std::min<size_t>(5, reader.remaining())));
  TRY_ASSIGN(out.type, reader.u8());
  TRY_ASSIGN(out.said.created, reader.u32_be());
  TRY_ASSIGN(const uint32_t high, reader.u32_be());
  TRY_ASSIGN(const uint32_t low, reader.u32_be());
  out.said.issuer_id = uint64_t{high} << 32 | low;
  TRY(read_algorithms(reader, out));
  return read_left16(reader, out);
}

Result<ByteReader> read_area(ByteReader& reader, uint8_t version) {
  if (version == 6) {
    TRY_ASSIGN(const uint32_t size, reader.u32_be());
    return reader.sub(size);
  }
  TRY_ASSIGN(const uint16_t size, reader.u16_be());
  return reader.sub(size);
}

// Section 9.5, table 23: the salt goes with the hash.
Result<void> read_salt(ByteReader& reader, SignaturePacket& out) {
  const uint64_t offset = reader.offset();
  TRY_ASSIGN(const uint8_t size, reader.u8());
  TRY_ASSIGN(out.salt, reader.bytes(size));
  if (!out.hash) return {};
  const size_t wanted = std::max<size_t>(16, hash_size(*out.hash) / 2);
  if (size != wanted) return corrupt(offset, "the salt of the signature is not as long as its hash asks for");
  return {};
}

// Versions 4 and 6 (section 5.2.3). `body` is the whole packet, `reader` is after the version in it.
Result<void> read_v4_or_v6(ByteView body, ByteReader& reader, SignaturePacket& out) {
  TRY_ASSIGN(out.type, reader.u8());
  TRY(read_algorithms(reader, out));
  TRY_ASSIGN(const ByteReader hashed, read_area(reader, out.version));
  const size_t hashed_end = reader.position();
  out.trailer = to_bytes(body.first(hashed_end));
  out.trailer.push_back(out.version);
  out.trailer.push_back(0xff);
  put_u32_be(out.trailer, static_cast<uint32_t>(hashed_end));
  TRY_ASSIGN(const ByteReader unhashed, read_area(reader, out.version));
  TRY(read_subpackets(hashed, true, out.said));
  TRY(read_subpackets(unhashed, false, out.said));
  // Section 5.2.3.12: key ids do not name the makers of v6 signatures.
  if (out.version == 6) out.said.issuer_id.reset();
  TRY(read_left16(reader, out));
  if (out.version == 6) TRY(read_salt(reader, out));
  return {};
}

Result<void> read_numbers(ByteReader& reader, SignaturePacket& out) {
  switch (out.algorithm) {
    case kRsa:
    case kRsaSign: {
      TRY_ASSIGN(out.numbers[0], read_mpi(reader));
      break;
    }
    case kEcdsa:
    case kEddsaLegacy: {
      TRY_ASSIGN(out.numbers[0], read_mpi(reader));
      TRY_ASSIGN(out.numbers[1], read_mpi(reader));
      break;
    }
    case kEd25519: {
      TRY_ASSIGN(out.numbers[0], reader.bytes(64));
      break;
    }
    default:
      return {};
  }
  if (!reader.empty()) return corrupt(reader.offset(), "bytes after the end of the signature");
  return {};
}

// Section 5.2.3.3: R and S are 32 bytes each, and as integers they lost their leading zeros.
bool verify_eddsa_legacy(const SignaturePacket& signature, EVP_PKEY* key, ByteView digest) {
  Bytes native;
  for (const ByteView number : signature.numbers) {
    if (number.size() > 32) return false;
    native.resize(native.size() + 32 - number.size(), 0);
    append(native, number);
  }
  return verify_ed25519(key, digest, native);
}

}  // namespace

Result<bool> has_known_version(const Packet& packet) {
  if (packet.body.empty()) return corrupt(packet.offset, "an empty signature packet");
  return packet.body[0] == 3 || packet.body[0] == 4 || packet.body[0] == 6;
}

Result<SignaturePacket> read_signature_packet(const Packet& packet) {
  if (packet.body.size() > kMaxSignatureBytes) {
    return corrupt(packet.offset, "a signature of more than 65536 bytes");
  }
  SignaturePacket out;
  ByteReader reader(packet.body, packet.body_offset);
  TRY_ASSIGN(out.version, reader.u8());
  if (out.version == 3) {
    TRY(read_v3(reader, out));
  } else {
    TRY(read_v4_or_v6(packet.body, reader, out));
  }
  TRY(read_numbers(reader, out));
  return out;
}

Result<Bytes> signed_digest(const SignaturePacket& signature, std::initializer_list<ByteView> parts) {
  TRY_ASSIGN(Hasher hasher, Hasher::create(*signature.hash));
  TRY(hasher.update(signature.salt));
  for (const ByteView part : parts) TRY(hasher.update(part));
  TRY(hasher.update(signature.trailer));
  return hasher.finish();
}

Result<Bytes> signed_digest(const SignaturePacket& signature, MessageHash& message) {
  if (!signature.salt.empty()) return signed_digest(signature, {message.message()});
  return message.hash(*signature.hash, signature.trailer);
}

bool verify(const SignaturePacket& signature, const Key& key, ByteView digest) {
  if (!key.public_key || signature.algorithm != key.algorithm) return false;
  if (!versions_fit(signature.version, key.version)) return false;
  // Of no cryptographic worth, but cheap, and rpm and GnuPG ask for it too.
  if (!std::equal(signature.left16.begin(), signature.left16.end(), digest.begin())) return false;
  const auto& [first, second] = signature.numbers;
  EVP_PKEY* const pkey = key.public_key.get();
  switch (signature.algorithm) {
    case kRsa:
    case kRsaSign:
      return verify_rsa(pkey, *signature.hash, digest, first);
    case kEcdsa:
      return verify_ecdsa(pkey, digest, first, second);
    case kEddsaLegacy:
      return verify_eddsa_legacy(signature, pkey, digest);
    case kEd25519:
      return verify_ed25519(pkey, digest, first);
    default:
      return false;
  }
}

}  // namespace diglim::openpgp
