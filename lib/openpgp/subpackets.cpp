// SPDX-License-Identifier: Apache-2.0
#include "lib/openpgp/subpackets.h"

namespace diglim::openpgp {
namespace {

enum Type : uint8_t {
  kCreated = 2,
  kExpires = 3,
  kKeyExpires = 9,
  kIssuerId = 16,
  kNotation = 20,
  kPrimaryUserId = 25,
  kKeyFlags = 27,
  kReason = 29,
  kEmbeddedSignature = 32,
  kIssuerFingerprint = 33,
};

// Subpackets that are honoured here, or that change nothing about whether a signature over a document or a
// self-signature holds (preferences, features, policy address, signer's user ID, ...): they may be critical.
// Not in it, though RFC 9580 names them: trust and its limits (5, 6: for certifications of others), notations
// (20: none is known here), signature target (31) and intended recipients (35).
bool is_understood(uint8_t type) {
  switch (type) {
    case kCreated:
    case kExpires:
    case 4:  // exportable
    case 7:  // revocable
    case kKeyExpires:
    case 11:  // preferred ciphers
    case 12:  // designated revoker: its revocations are not looked at, see certificate.h
    case kIssuerId:
    case 21:  // preferred hashes
    case 22:  // preferred compression
    case 23:  // key server preferences
    case 24:  // preferred key server
    case kPrimaryUserId:
    case 26:  // policy address
    case kKeyFlags:
    case 28:  // signer's user ID
    case kReason:
    case 30:  // features
    case kEmbeddedSignature:
    case kIssuerFingerprint:
    case 34:  // preferred AEAD
    case 39:  // preferred AEAD cipher suites
      return true;
    default:
      return false;
  }
}

Result<size_t> read_length(ByteReader& area) {
  TRY_ASSIGN(const uint8_t first, area.u8());
  if (first < 192) return size_t{first};
  if (first < 255) {
    TRY_ASSIGN(const uint8_t second, area.u8());
    return (size_t{first} - 192) * 256 + second + 192;
  }
  TRY_ASSIGN(const uint32_t length, area.u32_be());
  return size_t{length};
}

Result<void> check_end(const ByteReader& body) {
  if (!body.empty()) return corrupt(body.offset(), "a subpacket is longer than its content");
  return {};
}

Result<uint64_t> read_key_id(ByteReader& body) {
  TRY_ASSIGN(const uint32_t high, body.u32_be());
  TRY_ASSIGN(const uint32_t low, body.u32_be());
  return uint64_t{high} << 32 | low;
}

Result<Issuer> read_issuer(ByteReader& body) {
  Issuer issuer;
  const uint64_t offset = body.offset();
  TRY_ASSIGN(issuer.version, body.u8());
  const ByteView fingerprint = body.rest();
  const size_t size = issuer.version == 4 ? 20 : 32;  // 32 for v5 and v6
  if (fingerprint.size() != size) return corrupt(offset, "an issuer fingerprint of a wrong length");
  issuer.fingerprint = to_bytes(fingerprint);
  TRY(body.skip(size));
  return issuer;
}

// The types whose place does not matter.
Result<void> read_pointer(uint8_t type, ByteReader& body, Subpackets& out) {
  if (type == kIssuerId) {
    TRY_ASSIGN(const uint64_t id, read_key_id(body));
    if (!out.issuer_id) out.issuer_id = id;
    return check_end(body);
  }
  if (type == kIssuerFingerprint) {
    TRY_ASSIGN(Issuer issuer, read_issuer(body));
    if (!out.issuer) out.issuer = std::move(issuer);
    return check_end(body);
  }
  if (type == kEmbeddedSignature) {
    if (out.embedded.size() == kMaxEmbeddedSignatures) {
      return corrupt(body.offset(), "too many embedded signatures");
    }
    out.embedded.push_back({kSignaturePacket, body.rest(), body.offset(), body.offset()});
  }
  return {};
}

Result<void> read_statement(uint8_t type, ByteReader& body, Subpackets& out) {
  switch (type) {
    case kCreated: {
      TRY_ASSIGN(out.created, body.u32_be());
      return check_end(body);
    }
    case kExpires: {
      TRY_ASSIGN(out.expires_after, body.u32_be());
      return check_end(body);
    }
    case kKeyExpires: {
      TRY_ASSIGN(out.key_expires_after, body.u32_be());
      return check_end(body);
    }
    case kPrimaryUserId: {
      TRY_ASSIGN(const uint8_t value, body.u8());
      out.primary_user_id = value != 0;
      return check_end(body);
    }
    case kKeyFlags:  // any number of octets; none means that every flag is off (section 5.2.3.29)
      out.key_flags = body.empty() ? uint8_t{0} : body.rest()[0];
      return {};
    case kReason: {
      TRY_ASSIGN(out.revocation_reason, body.u8());
      return {};
    }
    default:
      return {};
  }
}

}  // namespace

Result<void> read_subpackets(ByteReader area, bool hashed, Subpackets& out) {
  for (size_t count = 0; !area.empty(); ++count) {
    const uint64_t offset = area.offset();
    if (count == kMaxSubpackets) return corrupt(offset, "too many subpackets");
    TRY_ASSIGN(const size_t length, read_length(area));
    if (length == 0) return corrupt(offset, "an empty subpacket");
    TRY_ASSIGN(ByteReader body, area.sub(length));
    TRY_ASSIGN(const uint8_t header, body.u8());
    const uint8_t type = header & 0x7f;
    const bool critical = (header & 0x80) != 0;
    // In the unhashed area the mark is anybody's; it then says nothing about what the signer wanted.
    if (hashed && critical && !is_understood(type) && out.critical.empty()) {
      out.critical = type == kNotation ? "a critical notation is not understood"
                                       : "critical subpacket " + std::to_string(type) + " is not understood";
    }
    TRY(read_pointer(type, body, out));
    if (hashed) TRY(read_statement(type, body, out));
  }
  return {};
}

}  // namespace diglim::openpgp
