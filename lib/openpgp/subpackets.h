// SPDX-License-Identifier: Apache-2.0
// Signature subpackets (RFC 9580 section 5.2.3.7) reduced to what the rules here need.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/openpgp/packet.h"

namespace diglim::openpgp {

constexpr size_t kMaxSubpackets = 256;        // in one area
constexpr size_t kMaxEmbeddedSignatures = 4;  // in one signature; each may cost a verification

struct Issuer {
  uint8_t version = 0;  // of the key
  Bytes fingerprint;
};

// Statements count only from the hashed area. Issuers and embedded signatures are proved by verification
// itself, so either area will do. If a statement is repeated, the last one counts (section 5.2.4.1).
struct Subpackets {
  std::optional<uint32_t> created;            // 2
  std::optional<uint32_t> expires_after;      // 3, seconds; 0: never
  std::optional<uint32_t> key_expires_after;  // 9, seconds; 0: never
  std::optional<uint64_t> issuer_id;          // 16; the first, hashed ones before unhashed ones
  bool primary_user_id = false;               // 25
  std::optional<uint8_t> key_flags;           // 27, first octet
  std::optional<uint8_t> revocation_reason;   // 29
  std::optional<Issuer> issuer;               // 33; likewise
  std::vector<Packet> embedded;               // 32: body and body_offset
  // Why the signature must not count: a critical subpacket that is not understood. Empty: there is none.
  std::string critical;
};

// Adds one area to `out`; the hashed area comes first. Views of embedded signatures are into it. Errors:
// kCorrupt.
Result<void> read_subpackets(ByteReader area, bool hashed, Subpackets& out);

}  // namespace diglim::openpgp
