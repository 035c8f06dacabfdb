// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/key/keys.h"

#include <openssl/asn1.h>

#include <algorithm>
#include <ctime>
#include <set>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/crypto/x509.h"
#include "lib/digest_list/digest_list.h"
#include "lib/openpgp/certificate.h"

namespace diglim::key {
namespace {

uint64_t seconds_of(const ASN1_TIME* time) {
  tm parts = {};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return 0;
  return static_cast<uint64_t>(timegm(&parts));
}

std::string unusable_text(const openpgp::Certificate& certificate) {
  for (const openpgp::Key& key : certificate.keys) {
    if (openpgp::refusal_of_material(key).empty() && key.may_sign && !key.revoked_hard) return {};
  }
  const openpgp::Key& primary = certificate.keys.front();
  if (primary.revoked_hard) return "revoked";
  if (!primary.not_understood.empty()) return primary.not_understood;
  const std::string material = openpgp::refusal_of_material(primary);
  return material.empty() ? "it may not sign" : material;
}

Result<KeyInfo> info_of(const X509& certificate) {
  Bytes digest(kMaxDigestSize);
  unsigned int size = 0;
  if (X509_digest(&certificate, hash_evp(HashAlgo::kSha256), digest.data(), &size) != 1)
    return openssl_error("fingerprint of a certificate");
  return KeyInfo{"x509",
                 to_hex(ByteView(digest).first(size)),
                 x509_subject(certificate),
                 seconds_of(X509_get0_notBefore(&certificate)),
                 seconds_of(X509_get0_notAfter(&certificate)),
                 x509_unusable(certificate).value_or(""),
                 {},
                 uses_of(certificate)};
}

}  // namespace

KeyInfo info_of(const openpgp::Certificate& certificate) {
  const openpgp::Key& primary = certificate.keys.front();
  KeyInfo info{"openpgp",
               to_hex(primary.fingerprint),
               escape(certificate.user_id, 512),
               primary.created,
               primary.expires,
               unusable_text(certificate),
               {},
               uses_of(certificate)};
  for (const openpgp::Key& key : certificate.keys) {
    Bytes id;
    put_u32_be(id, static_cast<uint32_t>(key.key_id >> 32));
    put_u32_be(id, static_cast<uint32_t>(key.key_id));
    info.ids.push_back(to_hex(id));
  }
  return info;
}

bool is_named(const KeyInfo& key, std::string_view text) {
  return key.fingerprint == text || std::ranges::find(key.ids, text) != key.ids.end();
}

Result<std::vector<KeyInfo>> read_keys(ByteView file) {
  TRY(TrustStore::check_file(file));
  std::vector<KeyInfo> keys;
  if (openpgp::looks_like_certificates(file)) {
    TRY_ASSIGN(const auto certificates, openpgp::read_certificates(file));
    for (const openpgp::Certificate& certificate : certificates) keys.push_back(info_of(certificate));
    return keys;
  }
  TRY_ASSIGN(const auto certificates, read_x509(file));
  for (const X509Ptr& certificate : certificates) {
    TRY_ASSIGN(KeyInfo info, info_of(*certificate));
    keys.push_back(std::move(info));
  }
  return keys;
}

namespace {

void add_wanted(const DigestList& list, const std::set<Bytes>& wanted, std::set<Bytes>& found) {
  const auto digests = list.digests.find(HashAlgo::kSha256);
  if (digests == list.digests.end()) return;
  for (size_t at = 0; at < digests->second.size(); at += hash_size(HashAlgo::kSha256)) {
    Bytes digest = to_bytes(ByteView(digests->second).subspan(at, hash_size(HashAlgo::kSha256)));
    if (wanted.contains(digest)) found.insert(std::move(digest));
  }
}

}  // namespace

Result<Loss> what_is_lost(const std::string& folder, const TrustStore& before, const TrustStore& after,
                          const std::vector<std::pair<Bytes, std::string>>& vital,
                          const std::function<void(std::string_view)>& on_list) {
  Loss loss;
  std::set<Bytes> wanted;
  for (const auto& [digest, path] : vital) wanted.insert(digest);
  std::set<Bytes> had;
  std::set<Bytes> kept;
  const auto names = list_folder(folder);
  if (!names && names.error().code != ErrorCode::kNotFound) return names.error();
  for (const std::string& name : names ? *names : std::vector<std::string>()) {
    if (name.starts_with('.')) continue;
    on_list(name);
    const auto bytes = read_digest_list_file(folder + "/" + name);
    if (!bytes) continue;  // nobody knows what it says
    const auto list = verify_digest_list(*bytes, before);
    if (!list) continue;
    const auto list_after = verify_digest_list(*bytes, after);
    if (!list_after) loss.lists.push_back(name);
    add_wanted(*list, wanted, had);
    if (list_after) add_wanted(*list_after, wanted, kept);
  }
  for (const auto& [digest, path] : vital) {
    if (!loss.boots || !had.contains(digest) || kept.contains(digest)) continue;
    loss.boots = false;
    loss.first_vital = path;
  }
  return loss;
}

}  // namespace diglim::key
