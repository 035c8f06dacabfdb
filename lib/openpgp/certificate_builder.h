// SPDX-License-Identifier: Apache-2.0
// Makes one Certificate from its packets, checking self-signatures, bindings and revocations on the way.
#pragma once

#include "lib/openpgp/certificate.h"
#include "lib/openpgp/key_packet.h"
#include "lib/openpgp/signature_packet.h"

namespace diglim::openpgp {

// Packets are given in the order of the file; a signature is about the component before it (RFC 9580
// section 10.1), but a revocation of the primary key is taken wherever it stands. Views must live until
// finish().
class CertificateBuilder {
 public:
  explicit CertificateBuilder(KeyPacket primary);

  void user_id(ByteView text);
  Result<void> subkey(const Packet& packet);
  void other_component();  // a user attribute: the signatures after it mean nothing here
  Result<void> signature(const Packet& packet);

  Certificate finish() &&;

 private:
  enum class Component { kPrimary, kUserId, kSubkey, kOther };
  struct UserId {
    ByteView text;
    bool vouched = false;  // has a valid self-signature
    bool primary = false;
    uint32_t made = 0;
  };

  bool names_us(const SignaturePacket& signature) const;
  bool may_be_ours(const SignaturePacket& signature) const;
  Result<std::optional<Statement>> statement(const SignaturePacket& signature, const Key& about,
                                             std::initializer_list<ByteView> parts) const;
  Result<bool> made_by(const SignaturePacket& signature, const Key& key,
                       std::initializer_list<ByteView> parts) const;
  Result<void> certification(const SignaturePacket& signature);
  Result<void> direct_key(const SignaturePacket& signature);
  Result<void> binding(const SignaturePacket& signature);
  Result<bool> has_back_signature(const SignaturePacket& signature) const;
  Result<void> revocation(const SignaturePacket& signature, Key& target,
                          std::initializer_list<ByteView> parts);

  KeyPacket primary_;
  std::vector<UserId> user_ids_;
  std::vector<KeyPacket> subkeys_;
  Component current_ = Component::kPrimary;
  size_t ignored_subkeys_ = 0;
  size_t ignored_revocations_ = 0;
};

}  // namespace diglim::openpgp
