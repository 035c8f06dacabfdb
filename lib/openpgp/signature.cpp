// SPDX-License-Identifier: Apache-2.0
#include "lib/openpgp/signature.h"

#include <algorithm>
#include <cctype>
#include <chrono>

#include "lib/base/text.h"
#include "lib/crypto/public_key.h"
#include "lib/openpgp/algorithm.h"
#include "lib/openpgp/signature_packet.h"

namespace diglim::openpgp {
namespace {

// Sequoia's standard policy: shorter ones are refused since 2014.

struct Candidate {
  const Certificate* certificate = nullptr;
  const Key* key = nullptr;
};

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

// UTC, "2020-05-01".
std::string date(uint32_t time) {
  const std::chrono::sys_seconds seconds{std::chrono::seconds{time}};
  const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(seconds)};
  const auto two = [](unsigned value) { return (value < 10 ? "0" : "") + std::to_string(value); };
  return std::to_string(static_cast<int>(day.year())) + "-" + two(static_cast<unsigned>(day.month())) + "-" +
         two(static_cast<unsigned>(day.day()));
}

std::string key_id_text(uint64_t id) {
  Bytes bytes;
  put_u32_be(bytes, static_cast<uint32_t>(id >> 32));
  put_u32_be(bytes, static_cast<uint32_t>(id));
  return to_hex(bytes);
}

// The id of the key that the signature names, if it names one.
std::optional<uint64_t> named_id(const SignaturePacket& signature) {
  if (!signature.said.issuer) return signature.said.issuer_id;
  const Issuer& issuer = *signature.said.issuer;
  const ByteView fingerprint = issuer.fingerprint;
  uint64_t id = 0;
  for (const uint8_t byte : issuer.version == 4 ? fingerprint.last(8) : fingerprint.first(8))
    id = id << 8 | byte;
  return id;
}

bool is_named(const Key& key, const SignaturePacket& signature) {
  if (signature.said.issuer) {
    return key.version == signature.said.issuer->version &&
           key.fingerprint == signature.said.issuer->fingerprint;
  }
  return signature.said.issuer_id && key.key_id == *signature.said.issuer_id;
}

std::vector<Candidate> find_candidates(const SignaturePacket& signature,
                                       std::span<const Certificate> trusted) {
  std::vector<Candidate> found;
  for (const Certificate& certificate : trusted) {
    for (const Key& key : certificate.keys) {
      if (is_named(key, signature)) found.push_back({&certificate, &key});
    }
  }
  return found;
}

std::string describe_signer(const SignaturePacket& signature, const Certificate* certificate) {
  std::string text = algorithm_name(signature.algorithm) + "/";
  text +=
      signature.hash ? upper(hash_name(*signature.hash)) : "hash " + std::to_string(signature.hash_number);
  if (const auto id = named_id(signature)) text += " " + key_id_text(*id);
  if (certificate != nullptr && !certificate->user_id.empty())
    text += " " + escape(certificate->user_id, 256);
  return text;
}

// Why a signature does not count whoever made it; empty if it may. Only its form is looked at.
std::string refusal_of_form(const SignaturePacket& signature, const SignaturePolicy& policy) {
  if (signature.type == kText) return "signatures over text are not supported";
  if (signature.type != kBinary) {
    return "a signature of type " + std::to_string(signature.type) + " is not over a document";
  }
  if (!is_verifiable(signature.algorithm)) return algorithm_name(signature.algorithm) + " is not supported";
  if (!signature.hash) return "hash algorithm " + std::to_string(signature.hash_number) + " is not supported";
  if (!policy.allows(*signature.hash))
    return upper(hash_name(*signature.hash)) + " signatures are not allowed";
  if (!signature.said.critical.empty()) return signature.said.critical;
  if (!signature.said.created) return "the signature does not say when it was made";
  return {};
}

// Why this key cannot verify this signature at all; empty if it can be tried.
std::string refusal_of_key(const SignaturePacket& signature, const Key& key) {
  if (!versions_fit(signature.version, key.version)) {
    return "a version " + std::to_string(signature.version) + " signature by a version " +
           std::to_string(key.version) + " key";
  }
  return refusal_of_material(key);
}

std::string refusal_of_state(const std::string& which, const KeyState& state, uint32_t time) {
  if (state.soft_revoked_at) {
    return "the " + which + " was revoked " + date(*state.soft_revoked_at) + ", before it signed";
  }
  if (state.expires != 0 && time >= state.expires) {
    return "the " + which + " expired " + date(state.expires) + ", before it signed";
  }
  if (!state.not_understood.empty()) {
    return "what the " + which + " says of itself is not understood: " + state.not_understood;
  }
  return {};
}

// Was the key valid when it signed? Empty if so. rpm's Sequoia backend asks the same at the same time, and
// then compares the signature's own time, and its expiration (subpacket 3), with now. No clock can be trusted
// where this runs: in an initramfs it may be wrong by years, and root can set it later. So nothing is
// compared with now, and a signature's own expiration is not looked at.
std::string refusal_at_time(const Candidate& candidate, uint32_t time) {
  const Key& key = *candidate.key;
  const Key& primary = candidate.certificate->keys[0];
  for (const auto& [from, to] : key.denied) {
    if (to == 0) return "a deny list revokes the key";
    if (time >= from && time < to)
      return "made " + date(time) + ", and a deny list revokes what the key signed then";
  }
  if (key.revoked_hard || primary.revoked_hard) {
    return "the key was revoked as compromised, or without a reason";
  }
  if (time < key.created || time < primary.created) return "made " + date(time) + ", before the key was";
  const KeyState state = state_at(key, time);
  if (std::string reason = refusal_of_state("key", state, time); !reason.empty()) return reason;
  if (!state.may_sign) return "the key is not meant for signing";
  return &key == &primary ? std::string() : refusal_of_state("primary key", state_at(primary, time), time);
}

// One key's word on the signature.
Judgement judge_by(const SignaturePacket& signature, ByteView digest, const Candidate& candidate) {
  Judgement judgement;
  judgement.signer = describe_signer(signature, candidate.certificate);
  judgement.reason = refusal_of_key(signature, *candidate.key);
  if (!judgement.reason.empty()) return judgement;
  if (!verify(signature, *candidate.key, digest)) {
    judgement.verdict = Verdict::kBad;
    judgement.reason = "the signature is wrong: what was signed, or the signature, was changed";
    return judgement;
  }
  judgement.reason = refusal_at_time(candidate, *signature.said.created);
  if (judgement.reason.empty()) judgement.verdict = Verdict::kGood;
  return judgement;
}

// Several keys may have the named id (anybody can make a key with an id of his choice), and one key may lie
// here in several copies. A key that made the signature decides, and if one copy of it is revoked, that is
// the one that counts; then comes a key under which the signature is wrong; then one that cannot tell.
int weight(const Judgement& judgement, const Candidate& candidate, bool made_it) {
  if (made_it && candidate.key->revoked_hard) return 4;
  if (made_it) return judgement.verdict == Verdict::kGood ? 3 : 2;
  return judgement.verdict == Verdict::kBad ? 1 : 0;
}

Result<Judgement> judge_signature(const SignaturePacket& signature, MessageHash& message,
                                  std::span<const Certificate> trusted, const SignaturePolicy& policy) {
  const std::vector<Candidate> candidates = find_candidates(signature, trusted);
  Judgement best;
  best.signer = describe_signer(signature, candidates.empty() ? nullptr : candidates[0].certificate);
  best.reason = refusal_of_form(signature, policy);
  if (!best.reason.empty()) return best;
  if (candidates.empty()) {
    best.verdict = Verdict::kUnknownKey;
    best.reason =
        named_id(signature) ? "no trusted key has this id" : "the signature does not say which key made it";
    return best;
  }
  TRY_ASSIGN(const Bytes digest, signed_digest(signature, message));
  int best_weight = -1;
  for (const Candidate& candidate : candidates) {
    Judgement judgement = judge_by(signature, digest, candidate);
    const bool tried = refusal_of_key(signature, *candidate.key).empty();
    const int its_weight = weight(judgement, candidate, tried && judgement.verdict != Verdict::kBad);
    if (its_weight <= best_weight) continue;
    best_weight = its_weight;
    best = std::move(judgement);
  }
  return best;
}

}  // namespace

Result<std::vector<Judgement>> judge_signatures(ByteView packets, uint64_t base, MessageHash& message,
                                                std::span<const Certificate> trusted,
                                                const SignaturePolicy& policy) {
  std::vector<Judgement> judgements;
  ByteReader reader(packets, base);
  if (reader.empty()) return corrupt(base, "no signature in here");
  while (!reader.empty()) {
    if (judgements.size() == kMaxSignatures) return corrupt(reader.offset(), "too many signatures");
    TRY_ASSIGN(const Packet packet, read_packet(reader));
    if (packet.type != kSignaturePacket) return corrupt(packet.offset, "not a signature packet");
    TRY_ASSIGN(const bool known, has_known_version(packet));
    if (!known) {
      const std::string version = std::to_string(packet.body[0]);
      judgements.push_back(
          {Verdict::kNotCounted, "", "version " + version + " signatures are not supported"});
      continue;
    }
    TRY_ASSIGN(const SignaturePacket signature, read_signature_packet(packet));
    TRY_ASSIGN(Judgement judgement, judge_signature(signature, message, trusted, policy));
    judgements.push_back(std::move(judgement));
  }
  return judgements;
}

}  // namespace diglim::openpgp
