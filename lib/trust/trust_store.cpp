// SPDX-License-Identifier: Apache-2.0
#include "lib/trust/trust_store.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <set>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/crypto/hash.h"

namespace diglim {
namespace {

constexpr std::string_view kPgpArmour = "-----BEGIN PGP ";
constexpr std::string_view kMagic = "DIGLIMTS";
constexpr uint32_t kVersion = 2;
constexpr size_t kMaxNameBytes = 255;  // NAME_MAX
constexpr size_t kMaxReasonBytes = 1024;

bool is_weak(HashAlgo algo) {
  return !SignaturePolicy().allows(algo);
}

// Sorted, each once, only what is weak: the others are allowed anyway. Makes equal policies equal blobs.
SignaturePolicy normalise(SignaturePolicy policy) {
  auto& hashes = policy.allowed_weak_hashes;
  std::sort(hashes.begin(), hashes.end());
  hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
  hashes.erase(std::remove_if(hashes.begin(), hashes.end(), [](HashAlgo algo) { return !is_weak(algo); }),
               hashes.end());
  return policy;
}

Result<bool> is_folder(const std::string& path) {
  struct stat info = {};
  if (stat(path.c_str(), &info) != 0) return from_errno("stat", errno);
  return S_ISDIR(info.st_mode);
}

std::string key_id_text(const openpgp::Key& key) {
  Bytes key_id;
  put_u32_be(key_id, static_cast<uint32_t>(key.key_id >> 32));
  put_u32_be(key_id, static_cast<uint32_t>(key.key_id));
  return to_hex(key_id);
}

std::string describe_key(const openpgp::Certificate& certificate, const openpgp::Key& key) {
  const bool primary = &key == &certificate.keys.front();
  return "openpgp " + key_id_text(key) + (primary ? " " : " subkey of ") + escape(certificate.user_id, 512);
}

// Whatever it signed.
bool is_denied(const openpgp::Key& key) {
  return std::ranges::any_of(key.denied, [](const auto& time) { return time.second == 0; });
}

std::string describe_x509(const X509& certificate) {
  return "x509 " + x509_subject(certificate) + " serial " +
         x509_serial(*X509_get0_serialNumber(&certificate));
}

Result<std::string> x509_fingerprint(const X509& certificate) {
  Bytes digest(kMaxDigestSize);
  unsigned int size = 0;
  if (X509_digest(&certificate, hash_evp(HashAlgo::kSha256), digest.data(), &size) != 1)
    return openssl_error("fingerprint of a certificate");
  return "x509:" + to_hex(ByteView(digest).first(size));
}

Result<std::string> read_name(ByteReader& reader) {
  const uint64_t start = reader.offset();
  TRY_ASSIGN(const uint16_t size, reader.u16_le());
  if (size == 0 || size > kMaxNameBytes)
    return corrupt(start, "file name of " + std::to_string(size) + " bytes");
  TRY_ASSIGN(const ByteView name, reader.bytes(size));
  return std::string(as_text(name));
}

Result<SignaturePolicy> read_policy(ByteReader& reader) {
  SignaturePolicy policy;
  TRY_ASSIGN(const uint8_t count, reader.u8());
  for (uint8_t i = 0; i < count; ++i) {
    const uint64_t start = reader.offset();
    TRY_ASSIGN(const uint16_t number, reader.u16_le());
    const auto algo = hash_from_kernel(number);
    auto& hashes = policy.allowed_weak_hashes;
    if (!algo || !is_weak(*algo))
      return corrupt(start, std::to_string(number) + " is not a weak hash algorithm");
    if (!hashes.empty() && hashes.back() >= *algo) return corrupt(start, "hash algorithms out of order");
    hashes.push_back(*algo);
  }
  return policy;
}

Result<std::vector<std::string>> read_left_out(ByteReader& reader) {
  std::vector<std::string> reasons;
  const uint64_t start = reader.offset();
  TRY_ASSIGN(const uint16_t count, reader.u16_le());
  if (count > kMaxLeftOutKeys) return corrupt(start, "too many files that were left out");
  for (uint16_t i = 0; i < count; ++i) {
    TRY_ASSIGN(const uint16_t size, reader.u16_le());
    TRY_ASSIGN(const ByteView reason, reader.bytes(size));
    reasons.emplace_back(as_text(reason));
  }
  return reasons;
}

}  // namespace

Result<TrustStore> TrustStore::from_folder(const std::string& folder, SignaturePolicy policy) {
  TrustStore store;
  store.policy_ = normalise(std::move(policy));
  TRY_ASSIGN(const std::vector<std::string> names, list_folder(folder));
  size_t total = 0;
  size_t not_named = 0;
  for (const std::string& name : names) {
    if (name.starts_with(".")) continue;
    const auto added = store.add_file(folder, name, total);
    if (added) continue;
    if (store.left_out_.size() < kMaxLeftOutKeys) {
      store.left_out_.push_back(with_context(escape(name), added.error()).message.substr(0, kMaxReasonBytes));
    } else {
      ++not_named;
    }
  }
  if (not_named > 0) store.left_out_.back() = std::to_string(not_named + 1) + " files more";
  openpgp::merge_certificates(store.certificates_);
  return store;
}

Result<void> TrustStore::add_file(const std::string& folder, const std::string& name, size_t& total) {
  const std::string path = folder + "/" + name;
  TRY_ASSIGN(const bool is_sub_folder, is_folder(path));
  if (is_sub_folder) return {};
  TRY_ASSIGN(Bytes content, read_file(path, openpgp::kMaxKeyFileBytes));
  if (files_.size() == kMaxTrustFiles || content.size() > kMaxTrustBytes - total) {
    return unsupported("too many keys: at most " + std::to_string(kMaxTrustFiles) + " files and " +
                       std::to_string(kMaxTrustBytes) + " bytes");
  }
  const size_t size = content.size();
  TRY(add({name, std::move(content), {}}));
  total += size;
  return {};
}

Result<void> TrustStore::add(KeyFile file) {
  const bool x509 = looks_like_x509(file.content);
  const bool armoured = as_text(file.content).find(kPgpArmour) != std::string_view::npos;
  // Whichever reader took such a file, it would pass over the other's keys in silence. A DER certificate that
  // merely quotes armour ends here too; it can be converted to PEM.
  if (armoured && x509) return unsupported("holds OpenPGP and X.509 keys; put them into two files");
  if (x509) {
    TRY_ASSIGN(auto certificates, read_x509(file.content));
    for (const X509Ptr& certificate : certificates) {
      TRY_ASSIGN(std::string fingerprint, x509_fingerprint(*certificate));
      file.fingerprints.push_back(std::move(fingerprint));
    }
    std::move(certificates.begin(), certificates.end(), std::back_inserter(x509_));
  } else if (armoured || openpgp::looks_like_certificates(file.content)) {
    TRY_ASSIGN(auto certificates, openpgp::read_certificates(file.content));
    for (openpgp::Certificate& certificate : certificates) {
      file.fingerprints.push_back("openpgp:" + to_hex(certificate.keys.front().fingerprint));
      certificates_.push_back(std::move(certificate));
    }
  } else {
    return unsupported("not a key");
  }
  files_.push_back(std::move(file));
  return {};
}

Result<void> TrustStore::check_file(ByteView content) {
  return TrustStore().add({"", to_bytes(content), {}});
}

Result<TrustStore::FileKeys> TrustStore::keys_of_file(ByteView content) {
  TrustStore store;
  TRY(store.add({"", to_bytes(content), {}}));
  FileKeys result;
  TRY_ASSIGN(result.keys, store.trusted_keys());
  for (const openpgp::Certificate& certificate : store.certificates_) {
    for (const openpgp::Key& key : certificate.keys) result.signers.push_back(key_id_text(key));
  }
  for (const X509Ptr& certificate : store.x509_) result.signers.push_back(x509_subject(*certificate));
  return result;
}

Bytes TrustStore::to_blob() const {
  Bytes blob = to_bytes(as_bytes(kMagic));
  put_u32_le(blob, kVersion);
  blob.push_back(static_cast<uint8_t>(policy_.allowed_weak_hashes.size()));
  for (HashAlgo algo : policy_.allowed_weak_hashes) put_u16_le(blob, static_cast<uint16_t>(algo));
  put_u16_le(blob, static_cast<uint16_t>(files_.size()));
  for (const KeyFile& file : files_) {
    put_u16_le(blob, static_cast<uint16_t>(file.name.size()));
    append(blob, as_bytes(file.name));
    put_u32_le(blob, static_cast<uint32_t>(file.content.size()));
    append(blob, file.content);
  }
  put_u16_le(blob, static_cast<uint16_t>(left_out_.size()));
  for (const std::string& reason : left_out_) {
    put_u16_le(blob, static_cast<uint16_t>(reason.size()));
    append(blob, as_bytes(reason));
  }
  return blob;
}

Result<TrustStore> TrustStore::from_blob(ByteView blob) {
  ByteReader reader(blob);
  TRY_ASSIGN(const ByteView magic, reader.bytes(kMagic.size()));
  if (as_text(magic) != kMagic) return corrupt(0, "not a store of trusted keys");
  TRY_ASSIGN(const uint32_t version, reader.u32_le());
  if (version != kVersion)
    return corrupt(kMagic.size(), "version " + std::to_string(version) + " of the key store");
  TrustStore store;
  TRY_ASSIGN(store.policy_, read_policy(reader));
  const uint64_t count_offset = reader.offset();
  TRY_ASSIGN(const uint16_t count, reader.u16_le());
  if (count > kMaxTrustFiles) return corrupt(count_offset, "too many key files");
  for (uint16_t i = 0; i < count; ++i) {
    const uint64_t start = reader.offset();
    TRY_ASSIGN(std::string name, read_name(reader));
    if (!store.files_.empty() && store.files_.back().name >= name)
      return corrupt(start, "file names out of order");
    TRY_ASSIGN(const uint32_t size, reader.u32_le());
    if (size > openpgp::kMaxKeyFileBytes)
      return corrupt(reader.offset() - sizeof(size), "key file too large");
    const uint64_t content_offset = reader.offset();
    TRY_ASSIGN(const ByteView content, reader.bytes(size));
    auto added = store.add({name, to_bytes(content), {}});
    // The offsets inside are those of the key file, which is what a person can look at.
    if (!added) return corrupt(content_offset, escape(name) + ": " + added.error().message);
  }
  TRY_ASSIGN(store.left_out_, read_left_out(reader));
  if (!reader.empty()) return corrupt(reader.offset(), "bytes after the end of the key store");
  openpgp::merge_certificates(store.certificates_);
  return store;
}

std::vector<std::string> TrustStore::describe() const {
  std::vector<std::string> lines;
  for (const openpgp::Certificate& certificate : certificates_) {
    for (const openpgp::Key& key : certificate.keys) {
      if (openpgp::refusal_of_material(key).empty() && key.not_understood.empty() && !is_denied(key))
        lines.push_back(describe_key(certificate, key));
    }
  }
  for (const X509Ptr& certificate : x509_) {
    if (!x509_unusable(*certificate)) lines.push_back(describe_x509(*certificate));
  }
  return lines;
}

std::vector<std::string> TrustStore::unusable() const {
  std::vector<std::string> lines;
  for (const openpgp::Certificate& certificate : certificates_) {
    for (const openpgp::Key& key : certificate.keys) {
      if (const std::string why = openpgp::refusal_of_material(key); !why.empty()) {
        lines.push_back(describe_key(certificate, key) + ": " + why);
      } else if (!key.not_understood.empty()) {
        lines.push_back(describe_key(certificate, key) +
                        ": what it says of itself is not understood: " + key.not_understood);
      } else if (is_denied(key)) {
        lines.push_back(describe_key(certificate, key) + ": a deny list revokes it");
      }
    }
  }
  for (const X509Ptr& certificate : x509_) {
    if (const auto reason = x509_unusable(*certificate))
      lines.push_back(describe_x509(*certificate) + ": " + *reason);
  }
  for (const X509Ptr& certificate : denied_x509_)
    lines.push_back(describe_x509(*certificate) + ": a deny list revokes it");
  return lines;
}

Result<void> TrustStore::deny(SignedDenyList list) {
  if (denials_.has(list.content_hash)) return {};
  // What can fail comes first, so that a failure changes nothing.
  TRY_ASSIGN(const Fingerprints fingerprints, fingerprints_of_x509());
  TRY(denials_.add(std::move(list)));
  deny_all(fingerprints);
  return {};
}

Result<void> TrustStore::grant(ByteView keys) {
  TRY(add({"", to_bytes(keys), {}}));
  openpgp::merge_certificates(certificates_);
  TRY_ASSIGN(const Fingerprints fingerprints, fingerprints_of_x509());
  deny_all(fingerprints);
  return {};
}

bool TrustStore::has_file(ByteView content) const {
  return std::ranges::any_of(files_,
                             [&](const KeyFile& file) { return std::ranges::equal(file.content, content); });
}

Result<TrustStore::Fingerprints> TrustStore::fingerprints_of_x509() const {
  Fingerprints fingerprints;
  for (const auto* const some : {&x509_, &denied_x509_}) {
    for (const X509Ptr& certificate : *some) {
      TRY_ASSIGN(fingerprints[certificate.get()], x509_fingerprint(*certificate));
    }
  }
  return fingerprints;
}

// All anew: a list that was replaced may have revoked more.
void TrustStore::deny_all(const Fingerprints& of_x509) {
  for (openpgp::Certificate& certificate : certificates_) {
    for (openpgp::Key& key : certificate.keys) key.denied.clear();
  }
  std::move(denied_x509_.begin(), denied_x509_.end(), std::back_inserter(x509_));
  denied_x509_.clear();
  denied_signers_.clear();
  for (const SignedDenyList& one : denials_.lists()) {
    for (const DenyEntry& denial : one.list.denials) {
      if (denial.kind == DenyEntry::Kind::kKey) deny_key(denial, of_x509);
    }
  }
}

// The primary key stands for its subkeys. One key may lie here in several certificates.
void TrustStore::deny_key(const DenyEntry& denial, const Fingerprints& of_x509) {
  std::set<Bytes> fingerprints;
  for (const openpgp::Certificate& certificate : certificates_) {
    for (const openpgp::Key& key : certificate.keys) {
      if ("openpgp:" + to_hex(key.fingerprint) != denial.fingerprint) continue;
      fingerprints.insert(key.fingerprint);
      if (&key != &certificate.keys.front()) continue;
      for (const openpgp::Key& each : certificate.keys) fingerprints.insert(each.fingerprint);
    }
  }
  for (openpgp::Certificate& certificate : certificates_) {
    for (openpgp::Key& key : certificate.keys) {
      if (!fingerprints.contains(key.fingerprint)) continue;
      key.denied.emplace_back(denial.from, denial.to);
      denied_signers_.push_back(key_id_text(key));
    }
  }
  // Of one X.509 key, too, there may be several certificates.
  const EVP_PKEY* revoked = nullptr;
  for (const X509Ptr& certificate : x509_) {
    if (of_x509.at(certificate.get()) == denial.fingerprint) revoked = X509_get0_pubkey(certificate.get());
  }
  std::vector<X509Ptr> kept;
  for (X509Ptr& certificate : x509_) {
    const EVP_PKEY* const own = X509_get0_pubkey(certificate.get());
    const bool goes = revoked != nullptr && (own == revoked || EVP_PKEY_eq(own, revoked) == 1);
    if (goes) denied_signers_.push_back(x509_subject(*certificate));
    (goes ? denied_x509_ : kept).push_back(std::move(certificate));
  }
  x509_ = std::move(kept);
}

Result<std::vector<TrustedKey>> TrustStore::trusted_keys() const {
  std::vector<TrustedKey> keys;
  for (const KeyFile& file : files_) {
    TRY_ASSIGN(const Bytes file_hash, hash(HashAlgo::kSha256, {file.content}));
    for (const std::string& fingerprint : file.fingerprints) keys.push_back({file_hash, fingerprint});
  }
  return keys;
}

}  // namespace diglim
