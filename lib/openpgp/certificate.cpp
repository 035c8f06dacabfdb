// SPDX-License-Identifier: Apache-2.0
#include "lib/openpgp/certificate.h"

#include <algorithm>
#include <optional>

#include "lib/openpgp/armor.h"
#include "lib/openpgp/certificate_builder.h"
#include "lib/openpgp/key_state.h"
#include "lib/openpgp/packet.h"

namespace diglim::openpgp {
namespace {

constexpr size_t kMaxPackets = 16384;
constexpr size_t kMaxUserIdBytes = 4096;

// Reads the certificates of one run of packets into `out`.
class KeyringReader {
 public:
  explicit KeyringReader(std::vector<Certificate>& out) : out_(out) {}

  Result<void> read(ByteView packets) {
    ByteReader reader(packets);
    if (reader.empty()) return corrupt(0, "no key in here");
    for (size_t count = 0; !reader.empty(); ++count) {
      if (count == kMaxPackets) return corrupt(reader.offset(), "too many packets");
      TRY_ASSIGN(const Packet packet, read_packet(reader));
      TRY(take(packet));
    }
    end_certificate();
    return {};
  }

 private:
  Result<void> take(const Packet& packet) {
    switch (packet.type) {
      case kPublicKeyPacket:
        return start_certificate(packet);
      case kSecretKeyPacket:
      case kSecretSubkeyPacket:
        return unsupported("a secret key does not belong here");
      case kMarkerPacket:
      case kTrustPacket:
      case kPaddingPacket:
        return {};
      case kUserIdPacket:
      case kPublicSubkeyPacket:
      case kUserAttributePacket:
      case kSignaturePacket:
        break;
      default:
        if (packet.type >= 40) return {};  // section 4.3: not critical
        return corrupt(packet.offset,
                       "packet type " + std::to_string(packet.type) + " does not belong in a key file");
    }
    if (!builder_ && packet.type == kSignaturePacket)
      return corrupt(packet.offset,
                     "a signature without its key (a revocation? diglim key add joins the two)");
    if (!builder_) return corrupt(packet.offset, "not preceded by a public key");
    if (packet.type == kSignaturePacket) return builder_->signature(packet);
    if (packet.type == kPublicSubkeyPacket) return builder_->subkey(packet);
    if (packet.type == kUserAttributePacket) {
      builder_->other_component();
      return {};
    }
    if (packet.body.size() > kMaxUserIdBytes)
      return corrupt(packet.offset, "a user ID of more than 4096 bytes");
    builder_->user_id(packet.body);
    return {};
  }

  Result<void> start_certificate(const Packet& packet) {
    end_certificate();
    if (out_.size() == kMaxCertificates) return corrupt(packet.offset, "too many certificates");
    TRY_ASSIGN(KeyPacket primary, read_key_packet(packet));
    builder_.emplace(std::move(primary));
    return {};
  }

  void end_certificate() {
    if (builder_) out_.push_back(std::move(*builder_).finish());
    builder_.reset();
  }

  std::vector<Certificate>& out_;
  std::optional<CertificateBuilder> builder_;
};

Result<void> read_armored(ByteView file, std::vector<Certificate>& out) {
  TRY_ASSIGN(const std::vector<ArmorBlock> blocks, read_key_armor(file, kMaxCertificates));
  if (blocks.empty()) return corrupt(0, "no armour block with a key begins a line");
  size_t number = 0;
  for (const ArmorBlock& block : blocks) {
    ++number;
    if (block.kind == ArmorKind::kPrivateKey) return unsupported("a secret key does not belong here");
    if (auto read = KeyringReader(out).read(block.content); !read) {
      return with_context("in the armour of block " + std::to_string(number), std::move(read).error());
    }
  }
  return {};
}

void merge_key(Key& into, Key& from) {
  into.statements.insert(into.statements.end(), from.statements.begin(), from.statements.end());
  into.soft_revocations.insert(into.soft_revocations.end(), from.soft_revocations.begin(),
                               from.soft_revocations.end());
  into.revoked_hard = into.revoked_hard || from.revoked_hard;
  settle(into);
}

Key* find_key(Certificate& certificate, const Bytes& fingerprint) {
  const auto found = std::find_if(certificate.keys.begin(), certificate.keys.end(),
                                  [&](const Key& key) { return key.fingerprint == fingerprint; });
  return found == certificate.keys.end() ? nullptr : &*found;
}

void merge_copy(Certificate& into, Certificate& from) {
  for (Key& key : from.keys) {
    if (Key* same = find_key(into, key.fingerprint)) {
      merge_key(*same, key);
    } else {
      into.keys.push_back(std::move(key));
    }
  }
  for (Key& key : into.keys) key.revoked_hard = key.revoked_hard || into.keys[0].revoked_hard;
  if (into.user_id.empty()) into.user_id = std::move(from.user_id);
  into.ignored_subkeys = std::max(into.ignored_subkeys, from.ignored_subkeys);
  into.ignored_revocations = std::max(into.ignored_revocations, from.ignored_revocations);
}

}  // namespace

bool looks_like_certificates(ByteView file) {
  if (file.empty()) return false;
  return is_packet_header(file[0], kPublicKeyPacket) || is_packet_header(file[0], kSecretKeyPacket) ||
         has_key_armor(file);
}

void merge_certificates(std::vector<Certificate>& certificates) {
  std::vector<Certificate> merged;
  for (Certificate& certificate : certificates) {
    const auto same = std::find_if(merged.begin(), merged.end(), [&](const Certificate& other) {
      return other.keys[0].fingerprint == certificate.keys[0].fingerprint;
    });
    if (same == merged.end()) {
      merged.push_back(std::move(certificate));
    } else {
      merge_copy(*same, certificate);
    }
  }
  certificates = std::move(merged);
}

Result<std::vector<Certificate>> read_certificates(ByteView file) {
  if (file.size() > kMaxKeyFileBytes) return unsupported("a key file of more than 1 MiB");
  std::vector<Certificate> out;
  const bool binary = !file.empty() && (file[0] & 0x80) != 0;  // armour is text
  if (binary) {
    TRY(KeyringReader(out).read(file));
  } else {
    TRY(read_armored(file, out));
  }
  merge_certificates(out);
  return out;
}

}  // namespace diglim::openpgp
