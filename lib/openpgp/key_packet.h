// SPDX-License-Identifier: Apache-2.0
// Public-key and public-subkey packets (RFC 9580 section 5.5.2), versions 4 and 6.
#pragma once

#include "lib/openpgp/certificate.h"
#include "lib/openpgp/packet.h"

namespace diglim::openpgp {

constexpr size_t kMaxKeyBytes = 16384;

struct KeyPacket {
  Key key;  // version, algorithm, fingerprint, key_id, created and public_key are filled
  Bytes
      hash_form;  // what fingerprints and signatures hash: 99 or 9b, length, body (sections 5.5.4 and 5.2.4)
};

// REQUIRES: packet.type is kPublicKeyPacket or kPublicSubkeyPacket. An algorithm or curve that is not
// supported, or numbers that are not a key, leave public_key null: the certificate may have other keys.
// Errors: kCorrupt; kUnsupported for other versions ("version 3 keys are not supported").
Result<KeyPacket> read_key_packet(const Packet& packet);

}  // namespace diglim::openpgp
