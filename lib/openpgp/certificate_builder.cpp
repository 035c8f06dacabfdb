// SPDX-License-Identifier: Apache-2.0
#include "lib/openpgp/certificate_builder.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "lib/openpgp/algorithm.h"
#include "lib/openpgp/key_state.h"

namespace diglim::openpgp {
namespace {

constexpr uint8_t kMaySign = 0x02;  // key flags, section 5.2.3.29

// A time that does not fit 32 bits is after everything that this format can say: never.
uint32_t add_time(uint32_t start, uint32_t seconds) {
  const uint64_t sum = uint64_t{start} + seconds;
  return seconds == 0 || sum > std::numeric_limits<uint32_t>::max() ? 0 : static_cast<uint32_t>(sum);
}

// REQUIRES: signature.said.created.
Statement statement_of(const SignaturePacket& signature, const Key& about) {
  const Subpackets& said = signature.said;
  Statement statement;
  statement.made = *said.created;
  statement.lapses = add_time(statement.made, said.expires_after.value_or(0));
  statement.direct_key = signature.type == kDirectKey;
  if (said.key_expires_after) statement.key_expires = add_time(about.created, *said.key_expires_after);
  if (said.key_flags) statement.may_sign = (*said.key_flags & kMaySign) != 0;
  return statement;
}

bool says_something(const SignaturePacket& signature) {
  return signature.said.critical.empty() && signature.said.created.has_value();
}

// Why nobody here can tell who made it; empty if that can be checked.
std::string uncheckable(const SignaturePacket& signature) {
  if (!is_verifiable(signature.algorithm)) return algorithm_name(signature.algorithm) + " is not supported";
  if (!signature.hash) return "hash algorithm " + std::to_string(signature.hash_number) + " is not supported";
  return {};
}

Statement unclear(const SignaturePacket& signature, std::string why) {
  Statement statement;
  statement.made = signature.said.created.value_or(0);
  statement.direct_key = signature.type == kDirectKey;
  statement.not_understood = std::move(why);
  return statement;
}

// A collision is of no use against what the owner said of his own key, but a binding brings in a new key.
bool strong_enough_to_bind(const SignaturePacket& signature) {
  return signature.hash && *signature.hash != HashAlgo::kMd5;
}

// Section 5.2.3.31: superseded, retired, and "user ID no longer valid", as Sequoia has it; everything else is
// hard.
bool is_soft(const SignaturePacket& signature) {
  const uint8_t reason = signature.said.revocation_reason.value_or(0);  // 0: none is given
  return says_something(signature) && (reason == 1 || reason == 3 || reason == 32);
}

}  // namespace

CertificateBuilder::CertificateBuilder(KeyPacket primary) : primary_(std::move(primary)) {}

void CertificateBuilder::user_id(ByteView text) {
  user_ids_.push_back({text, false, false, 0});
  current_ = Component::kUserId;
}

Result<void> CertificateBuilder::subkey(const Packet& packet) {
  current_ = Component::kOther;
  auto read = read_key_packet(packet);
  if (!read && read.error().code != ErrorCode::kUnsupported) return std::move(read).error();
  if (!read || read->key.version != primary_.key.version) {  // section 10.1: one version in a certificate
    ++ignored_subkeys_;
    return {};
  }
  subkeys_.push_back(std::move(*read));
  current_ = Component::kSubkey;
  return {};
}

void CertificateBuilder::other_component() {
  current_ = Component::kOther;
}

Result<void> CertificateBuilder::signature(const Packet& packet) {
  TRY_ASSIGN(const bool known, has_known_version(packet));
  if (!known) return {};
  TRY_ASSIGN(const SignaturePacket signature, read_signature_packet(packet));
  if (signature.type == kKeyRevocation) {
    return revocation(signature, primary_.key, {primary_.hash_form});
  }
  if (current_ == Component::kSubkey && signature.type == kSubkeyRevocation) {
    return revocation(signature, subkeys_.back().key, {primary_.hash_form, subkeys_.back().hash_form});
  }
  if (!names_us(signature)) return {};
  const bool certifies = signature.type >= kGenericCertification && signature.type <= kPositiveCertification;
  if (current_ == Component::kUserId && certifies) return certification(signature);
  if (current_ == Component::kSubkey && signature.type == kSubkeyBinding) return binding(signature);
  if (current_ == Component::kPrimary && signature.type == kDirectKey) return direct_key(signature);
  return {};
}

bool CertificateBuilder::names_us(const SignaturePacket& signature) const {
  const Key& key = primary_.key;
  if (!versions_fit(signature.version, key.version)) return false;
  if (signature.said.issuer) return signature.said.issuer->fingerprint == key.fingerprint;
  return !signature.said.issuer_id || *signature.said.issuer_id == key.key_id;
}

bool CertificateBuilder::may_be_ours(const SignaturePacket& signature) const {
  return signature.algorithm == primary_.key.algorithm && names_us(signature);
}

// What a signature that names the primary key says of `about`; nothing if another made it. If it cannot be
// checked, it may be ours and restrict: fail closed, as for revocations.
Result<std::optional<Statement>> CertificateBuilder::statement(const SignaturePacket& signature,
                                                               const Key& about,
                                                               std::initializer_list<ByteView> parts) const {
  std::optional<Statement> said;
  if (!primary_.key.public_key) return said;  // it verifies nothing in any case
  if (std::string why = uncheckable(signature); !why.empty()) {
    said = unclear(signature, std::move(why));
    return said;
  }
  TRY_ASSIGN(const bool good, made_by(signature, primary_.key, parts));
  if (!good) return said;
  if (!signature.said.critical.empty()) {
    said = unclear(signature, signature.said.critical);
  } else if (!signature.said.created) {
    said = unclear(signature, "it does not say when it was made");
  } else {
    said = statement_of(signature, about);
  }
  return said;
}

Result<bool> CertificateBuilder::made_by(const SignaturePacket& signature, const Key& key,
                                         std::initializer_list<ByteView> parts) const {
  if (!signature.hash || !key.public_key) return false;
  TRY_ASSIGN(const Bytes digest, signed_digest(signature, parts));
  return verify(signature, key, digest);
}

Result<void> CertificateBuilder::certification(const SignaturePacket& signature) {
  UserId& user = user_ids_.back();
  Bytes prefix;  // section 5.2.4: v3 hashes the bare text
  if (signature.version != 3) {
    prefix.push_back(0xb4);
    put_u32_be(prefix, static_cast<uint32_t>(user.text.size()));
  }
  TRY_ASSIGN(const auto said, statement(signature, primary_.key, {primary_.hash_form, prefix, user.text}));
  if (!said) return {};
  primary_.key.statements.push_back(*said);
  if (!said->not_understood.empty()) return {};
  if (!user.vouched || *signature.said.created >= user.made) {
    user.vouched = true;
    user.primary = signature.said.primary_user_id;
    user.made = *signature.said.created;
  }
  return {};
}

Result<void> CertificateBuilder::direct_key(const SignaturePacket& signature) {
  TRY_ASSIGN(const auto said, statement(signature, primary_.key, {primary_.hash_form}));
  if (said) primary_.key.statements.push_back(*said);
  return {};
}

Result<void> CertificateBuilder::binding(const SignaturePacket& signature) {
  KeyPacket& subkey = subkeys_.back();
  if (signature.hash && !strong_enough_to_bind(signature)) return {};
  TRY_ASSIGN(auto said, statement(signature, subkey.key, {primary_.hash_form, subkey.hash_form}));
  if (!said) return {};
  // A signing subkey must have agreed to belong here, or anybody could claim its signatures (section 10.1.5).
  // Without flags a subkey is for something else, as Sequoia has it.
  if (!said->may_sign) said->may_sign = false;
  if (*said->may_sign) {
    TRY_ASSIGN(const bool agreed, has_back_signature(signature));
    if (!agreed) return {};
  }
  subkey.key.statements.push_back(*std::move(said));
  return {};
}

Result<bool> CertificateBuilder::has_back_signature(const SignaturePacket& signature) const {
  const KeyPacket& subkey = subkeys_.back();
  for (const Packet& packet : signature.said.embedded) {
    const auto known = has_known_version(packet);
    if (!known || !*known) continue;
    // A broken one is no reason to refuse the file: it is as good as none. Embedded ones of its own are not
    // looked at.
    const auto back = read_signature_packet(packet);
    if (!back || back->type != kPrimaryKeyBinding || !says_something(*back)) continue;
    if (!strong_enough_to_bind(*back)) continue;
    TRY_ASSIGN(const bool good, made_by(*back, subkey.key, {primary_.hash_form, subkey.hash_form}));
    if (good) return true;
  }
  return false;
}

Result<void> CertificateBuilder::revocation(const SignaturePacket& signature, Key& target,
                                            std::initializer_list<ByteView> parts) {
  if (!may_be_ours(signature)) {
    ++ignored_revocations_;
    return {};
  }
  if (!signature.hash) {
    target.revoked_hard = true;
    return {};
  }
  TRY_ASSIGN(const bool good, made_by(signature, primary_.key, parts));
  if (!good) {
    ++ignored_revocations_;
  } else if (is_soft(signature)) {
    target.soft_revocations.push_back(*signature.said.created);
  } else {
    target.revoked_hard = true;
  }
  return {};
}

Certificate CertificateBuilder::finish() && {
  Certificate out;
  out.ignored_subkeys = ignored_subkeys_;
  out.ignored_revocations = ignored_revocations_;
  settle(primary_.key);
  const bool revoked_hard = primary_.key.revoked_hard;
  out.keys.push_back(std::move(primary_.key));
  for (KeyPacket& subkey : subkeys_) {
    const auto understood = [](const Statement& statement) { return statement.not_understood.empty(); };
    if (std::none_of(subkey.key.statements.begin(), subkey.key.statements.end(), understood)) {
      ++out.ignored_subkeys;
      continue;
    }
    settle(subkey.key);
    subkey.key.revoked_hard = subkey.key.revoked_hard || revoked_hard;
    out.keys.push_back(std::move(subkey.key));
  }
  const auto rank = [](const UserId& user) { return std::tuple(user.vouched, user.primary, user.made); };
  const auto best = std::max_element(user_ids_.begin(), user_ids_.end(),
                                     [&](const UserId& a, const UserId& b) { return rank(a) < rank(b); });
  if (best != user_ids_.end()) out.user_id = as_text(best->text);
  return out;
}

}  // namespace diglim::openpgp
