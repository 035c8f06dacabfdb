// SPDX-License-Identifier: Apache-2.0
// OpenPGP certificates ("public keys", RFC 9580 section 10.1; v4 and v6) as trust anchors.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/crypto/hash.h"
#include "lib/crypto/openssl.h"

namespace diglim::openpgp {

// What the owner said of a key at one time: a self-signature over a user ID, a direct-key signature, or the
// binding of a subkey. All times are seconds since 1970.
struct Statement {
  uint32_t made = 0;
  uint32_t lapses = 0;  // from then on it is as if never made (signature expiration, subpacket 3); 0: never
  bool direct_key = false;
  std::optional<uint32_t> key_expires;  // 0: never; none: says nothing of it
  std::optional<bool> may_sign;         // none: no key flags
  // Why nobody can tell what it says: a critical subpacket that is not known here, a hash or an algorithm
  // that cannot be checked. Empty: it is understood. Then nothing else of it means anything but `made`.
  std::string not_understood = {};
};

// What holds for a key at one time.
struct KeyState {
  uint32_t expires = 0;  // 0: never
  bool may_sign = false;
  std::optional<uint32_t> soft_revoked_at;  // the soft revocation that is in force
  std::string not_understood = {};  // the statement in force (Statement::not_understood); may_sign is false
};

// One key of a certificate: the primary, or a subkey whose binding was checked.
struct Key {
  uint8_t version = 4;
  uint8_t algorithm = 0;  // RFC 9580 section 9.1
  Bytes fingerprint;      // 20 bytes (v4) or 32 (v6)
  uint64_t key_id = 0;    // low 8 bytes of a v4 fingerprint, high 8 of a v6 one
  uint32_t created = 0;
  PkeyPtr public_key;  // null if the algorithm is not supported: it then verifies nothing

  // The newest state, for display. Whether a signature counts is decided by state_at() of its own time.
  uint32_t expires = 0;
  bool may_sign = false;
  std::optional<uint32_t> revoked_soft_at;
  std::string not_understood;
  // A hard revocation (compromised, or no reason given: RFC 9580 section 5.2.3.31) voids all signatures ever
  // made; a soft one (superseded, retired) those made at or after its time, until the owner vouches for the
  // key anew.
  bool revoked_hard = false;

  // Times [from, to), seconds since 1970, whose signatures a deny list revokes; to 0: all, ever. Not the
  // owner's word, so nothing here fills it.
  std::vector<std::pair<uint64_t, uint64_t>> denied;

  std::vector<Statement> statements;       // newest first
  std::vector<uint32_t> soft_revocations;  // their times
};

// Why nothing that this key ever signed counts, whatever it says of itself: its algorithm, its curve, or its
// length. Empty: what it signs can be verified.
std::string refusal_of_material(const Key& key);

// The state of a key at a time, as Sequoia judges it for rpm: by the newest statement that was made by then,
// and only where none is left from before that (certificates are often stripped of old self-signatures) by
// the newest of all. A primary key about which nothing usable was said may sign, and never expires: that it
// lies in the trusted directory is what makes it trusted. What was said and is not understood may restrict
// the key, so from then on, until the owner says something that is understood, it may not sign
// (RFC 9580 section 5.2.3.7: such a signature is in error; to pass over it would be to lift the restriction).
KeyState state_at(const Key& key, uint32_t time);

struct Certificate {
  std::vector<Key> keys;       // keys[0] is the primary
  std::string user_id;         // the primary user ID as it stands in the file, unescaped; may be empty
  size_t ignored_subkeys = 0;  // not bound, badly bound, or without the back-signature a signing subkey needs
  // Revocations that the primary key did not make: forged, damaged, or by somebody else. Designated revokers
  // (RFC 9580 section 5.2.3.23) are not followed.
  size_t ignored_revocations = 0;
};

// Largest accepted key file, and most certificates in it.
constexpr size_t kMaxKeyFileBytes = 1u << 20;
constexpr size_t kMaxCertificates = 256;

// True if the bytes look like OpenPGP keys: armour's "-----BEGIN PGP PUBLIC KEY BLOCK-----" somewhere, or a
// first byte that is a public-key packet header; the same for secret keys, so that read_certificates() can
// say what is wrong.
bool looks_like_certificates(ByteView file);

// Makes one certificate of the copies of each, in the place of the first: an old copy that lies beside a
// newer one must not undo a revocation. read_certificates() does it within a file; whoever collects several
// files does it over all.
void merge_certificates(std::vector<Certificate>& certificates);

// Reads every certificate of a file, armoured (several blocks allowed, checksum checked when present) or
// binary. Self-signatures may be SHA-1 or MD5: the directory is what makes a key trusted. Bindings of subkeys
// are checked cryptographically all the same (with the embedded primary-key binding of signing ones, RFC 9580
// section 5.2.1.9), and MD5 is not enough for them. Revocations count with any hash; one that names the
// primary key as its maker but cannot be checked (an unknown hash) counts as a hard one: failing closed, as
// nobody can tell. User IDs and their revocations (0x30) say nothing about keys here. Errors: kCorrupt with
// the offset (in the file, or in the armour of block N), kUnsupported (secret keys: "a secret key does not
// belong here"; primary keys of other versions than 4 and 6). Unknown packets and unsupported subpackets are
// passed over where RFC 9580 says so; a self-signature that is not understood restricts (state_at()).
Result<std::vector<Certificate>> read_certificates(ByteView file);

}  // namespace diglim::openpgp
