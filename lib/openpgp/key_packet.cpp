// SPDX-License-Identifier: Apache-2.0
#include "lib/openpgp/key_packet.h"

#include <algorithm>
#include <array>
#include <string>

#include "lib/crypto/public_key.h"
#include "lib/openpgp/algorithm.h"

namespace diglim::openpgp {
namespace {

// RFC 9580 section 9.2: DER content octets of the curve's OID.
constexpr std::array<uint8_t, 8> kOidP256 = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
constexpr std::array<uint8_t, 5> kOidP384 = {0x2b, 0x81, 0x04, 0x00, 0x22};
constexpr std::array<uint8_t, 5> kOidP521 = {0x2b, 0x81, 0x04, 0x00, 0x23};
constexpr std::array<uint8_t, 9> kOidEd25519Legacy = {0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01};

bool same(ByteView a, ByteView b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

Result<ByteView> read_oid(ByteReader& reader) {
  const uint64_t offset = reader.offset();
  TRY_ASSIGN(const uint8_t size, reader.u8());
  if (size == 0 || size == 0xff) return corrupt(offset, "reserved length of a curve's name");
  return reader.bytes(size);
}

// Null for numbers that OpenSSL does not take for a key.
PkeyPtr or_null(Result<PkeyPtr> key) {
  return key ? std::move(*key) : nullptr;
}

// The key material; null for what is not supported. `reader` is at its end afterwards if the layout is known.
Result<PkeyPtr> read_material(ByteReader& reader, uint8_t algorithm) {
  switch (algorithm) {
    case kRsa:
    case kRsaSign: {
      TRY_ASSIGN(const ByteView modulus, read_mpi(reader));
      TRY_ASSIGN(const ByteView exponent, read_mpi(reader));
      return or_null(rsa_public_key(modulus, exponent));
    }
    case kEcdsa: {
      TRY_ASSIGN(const ByteView oid, read_oid(reader));
      TRY_ASSIGN(const ByteView point, read_mpi(reader));
      if (same(oid, kOidP256)) return or_null(ec_public_key(Curve::kP256, point));
      if (same(oid, kOidP384)) return or_null(ec_public_key(Curve::kP384, point));
      if (same(oid, kOidP521)) return or_null(ec_public_key(Curve::kP521, point));
      return PkeyPtr();
    }
    case kEddsaLegacy: {
      TRY_ASSIGN(const ByteView oid, read_oid(reader));
      TRY_ASSIGN(const ByteView point, read_mpi(reader));
      // Section 11.2.2: 0x40, then the native encoding.
      const bool native = point.size() == 33 && point[0] == 0x40;
      if (!same(oid, kOidEd25519Legacy) || !native) return PkeyPtr();
      return or_null(ed25519_public_key(point.subspan(1)));
    }
    case kEd25519: {
      TRY_ASSIGN(const ByteView raw, reader.bytes(32));
      return or_null(ed25519_public_key(raw));
    }
    default:
      TRY(reader.skip(reader.remaining()));
      return PkeyPtr();
  }
}

uint64_t first_u64_be(ByteView bytes) {
  uint64_t value = 0;
  for (const uint8_t byte : bytes.first(8)) value = value << 8 | byte;
  return value;
}

Result<void> identify(KeyPacket& out, ByteView body) {
  const auto size = static_cast<uint32_t>(body.size());
  if (out.key.version == 6) {
    out.hash_form.push_back(0x9b);
    put_u32_be(out.hash_form, size);
  } else {
    out.hash_form.push_back(0x99);
    put_u16_be(out.hash_form, static_cast<uint16_t>(size));
  }
  append(out.hash_form, body);
  TRY_ASSIGN(out.key.fingerprint,
             hash(out.key.version == 6 ? HashAlgo::kSha256 : HashAlgo::kSha1, {out.hash_form}));
  const ByteView fingerprint = out.key.fingerprint;
  out.key.key_id = first_u64_be(out.key.version == 6 ? fingerprint : fingerprint.last(8));
  return {};
}

}  // namespace

Result<KeyPacket> read_key_packet(const Packet& packet) {
  KeyPacket out;
  if (packet.body.size() > kMaxKeyBytes) return corrupt(packet.offset, "a key of more than 16384 bytes");
  ByteReader reader(packet.body, packet.body_offset);
  TRY_ASSIGN(out.key.version, reader.u8());
  if (out.key.version != 4 && out.key.version != 6) {
    return unsupported("version " + std::to_string(out.key.version) + " keys are not supported");
  }
  TRY_ASSIGN(out.key.created, reader.u32_be());
  TRY_ASSIGN(out.key.algorithm, reader.u8());
  if (out.key.version == 6) {
    const uint64_t offset = reader.offset();
    TRY_ASSIGN(const uint32_t size, reader.u32_be());
    if (size != reader.remaining()) return corrupt(offset, "the length of the key material is wrong");
  }
  TRY_ASSIGN(out.key.public_key, read_material(reader, out.key.algorithm));
  if (!reader.empty()) return corrupt(reader.offset(), "bytes after the key material");
  // Section 9.2 and 5.5.5.5: the legacy algorithm is for v4 keys only.
  if (out.key.version == 6 && out.key.algorithm == kEddsaLegacy) out.key.public_key = nullptr;
  TRY(identify(out, packet.body));
  return out;
}

}  // namespace diglim::openpgp
