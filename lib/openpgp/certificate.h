// SPDX-License-Identifier: Apache-2.0
// OpenPGP certificates ("public keys", RFC 9580 section 10.1; v4 and v6) as trust anchors.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/crypto/hash.h"
#include "lib/crypto/openssl.h"

namespace diglim::openpgp {

// One key of a certificate: the primary, or a subkey whose binding was checked.
struct Key {
  uint8_t version = 4;
  uint8_t algorithm = 0;  // RFC 9580 section 9.1
  Bytes fingerprint;      // 20 bytes (v4) or 32 (v6)
  uint64_t key_id = 0;    // low 8 bytes of a v4 fingerprint, high 8 of a v6 one
  uint32_t created = 0;   // seconds since 1970, as all times here
  PkeyPtr public_key;     // null if the algorithm is not supported: it then verifies nothing
  // Filled from self-signatures, bindings and revocations. A signature made at time t counts if
  // created <= t, t < expires (0: never), and not revoked for that t.
  uint32_t expires = 0;
  bool may_sign = false;
  // A hard revocation (compromised, or no reason given: RFC 9580 section 5.2.3.31) voids all signatures ever made; a soft
  // one (superseded, retired) those made at or after its time.
  bool revoked_hard = false;
  std::optional<uint32_t> revoked_soft_at;
};

struct Certificate {
  std::vector<Key> keys;  // keys[0] is the primary
  std::string user_id;    // the primary user ID as it stands in the file, unescaped; may be empty
  size_t ignored_subkeys = 0;  // not bound, badly bound, or without the back-signature a signing subkey needs
};

// Largest accepted key file, and most certificates in it.
constexpr size_t kMaxKeyFileBytes = 1u << 20;
constexpr size_t kMaxCertificates = 256;

// True if the bytes look like OpenPGP: armour's "-----BEGIN PGP PUBLIC KEY BLOCK-----" somewhere, or a first byte that is
// a public-key packet header.
bool looks_like_certificates(ByteView file);

// Reads every certificate of a file, armoured (several blocks allowed, checksum checked when present) or binary.
// Self-signatures may be SHA-1: the folder is what makes a key trusted; bindings of signing subkeys are checked
// cryptographically all the same (with the embedded primary-key binding, RFC 9580 section 5.2.1.9).
// Errors: kCorrupt with the offset (in the file, or "in the armour" of block N), kUnsupported (secret keys: "a secret
// key does not belong here"). Unknown packets and unsupported subpackets are passed over where RFC 9580 says
// so; a critical unknown subpacket makes that signature not count.
Result<std::vector<Certificate>> read_certificates(ByteView file);

}  // namespace diglim::openpgp
