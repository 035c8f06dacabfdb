// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/key/revocation.h"

#include "lib/base/text.h"
#include "lib/openpgp/armor.h"
#include "lib/openpgp/certificate.h"
#include "lib/openpgp/packet.h"

namespace diglim::key {
namespace {

// The packets of a file of keys, whatever they are.
Result<Bytes> packets_of(ByteView file) {
  if (!openpgp::has_key_armor(file)) return to_bytes(file);
  TRY_ASSIGN(const auto blocks, openpgp::read_key_armor(file, openpgp::kMaxCertificates));
  Bytes packets;
  for (const openpgp::ArmorBlock& block : blocks) append(packets, block.content);
  return packets;
}

// Calls `on_packet(packet, its bytes with the header)` for each.
template <typename Action>
Result<void> for_each_packet(ByteView packets, Action on_packet) {
  ByteReader reader(packets);
  while (!reader.empty()) {
    TRY_ASSIGN(const openpgp::Packet packet, openpgp::read_packet(reader));
    on_packet(packet, packets.subspan(packet.offset, reader.offset() - packet.offset));
  }
  return {};
}

}  // namespace

bool is_revocation(ByteView file) {
  const auto packets = packets_of(file);
  if (!packets || packets->empty()) return false;
  bool only_signatures = true;
  const auto read = for_each_packet(*packets, [&](const openpgp::Packet& packet, ByteView) {
    only_signatures = only_signatures && packet.type == openpgp::kSignaturePacket;
  });
  return read && only_signatures;
}

Result<Joined> join_revocation(ByteView revocation, const std::vector<Bytes>& trusted) {
  TRY_ASSIGN(const Bytes signature, packets_of(revocation));
  std::vector<Bytes> keys;
  for (const Bytes& file : trusted) {
    const auto packets = packets_of(file);
    if (!packets) continue;
    (void)for_each_packet(*packets, [&](const openpgp::Packet& packet, ByteView bytes) {
      if (packet.type == openpgp::kPublicKeyPacket) keys.push_back(to_bytes(bytes));
    });
  }
  for (const Bytes& primary : keys) {
    Joined joined;
    joined.file = primary;
    append(joined.file, signature);
    TRY_ASSIGN(const auto certificates, openpgp::read_certificates(joined.file));
    if (certificates.size() != 1) continue;
    const openpgp::Key& key = certificates.front().keys.front();
    if (!key.revoked_hard && key.soft_revocations.empty()) continue;
    joined.fingerprint = to_hex(key.fingerprint);
    joined.hard = key.revoked_hard;
    return joined;
  }
  return not_found("it revokes no trusted key");
}

}  // namespace diglim::key
