// SPDX-License-Identifier: Apache-2.0
// The keys whose signatures count. Made from a directory at boot; from then on from the bytes frozen in the
// kernel, so that nothing written to disk later adds a key (decision D7).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/crypto/signature_policy.h"
#include "lib/crypto/x509.h"
#include "lib/openpgp/certificate.h"
#include "lib/revocation/denials.h"

namespace diglim {

// So that the frozen map stays small and a directory of rubbish cannot eat the memory of an initramfs.
constexpr size_t kMaxTrustFiles = 1024;
constexpr size_t kMaxTrustBytes = 16u << 20;
// So many files that were left out are named; further ones are counted.
constexpr size_t kMaxLeftOutKeys = 64;

// One certificate of a file in the directory, for the manifest of what is trusted (lib/manifest/FORMAT.md).
struct TrustedKey {
  Bytes file_hash;          // SHA-256 of the file
  std::string fingerprint;  // "openpgp:HEX" of the primary key, or "x509:HEX", SHA-256 of the DER
};

class TrustStore {
 public:
  // Every regular file in `folder`: OpenPGP certificates (armoured or binary, any number a file) or X.509
  // (PEM, any number; or DER, one), but not both in one. Links to files count as files. Sub-folders and names
  // starting with "." are passed over. A file that cannot be read, or that is anything but public keys, is
  // left out as a whole and named by left_out(): others fill such directories, less trust is safe, and one
  // stray file must not keep a host from booting. An empty directory gives a store that trusts nobody.
  // Errors: kNotFound (directory), kIo. A key of an algorithm that is not supported verifies nothing: see
  // unusable().
  static Result<TrustStore> from_folder(const std::string& folder, SignaturePolicy policy);

  // Would a file of this content count? The reason why not, as in left_out(), is the error.
  static Result<void> check_file(ByteView content);

  // Of the keys in such a file: their lines of the manifest, and by which texts LoadedList::signer of a list
  // may be one of them.
  struct FileKeys {
    std::vector<TrustedKey> keys;
    std::vector<std::string> signers;
  };
  static Result<FileKeys> keys_of_file(ByteView content);

  // The serialised form that the kernel keeps frozen: to_blob() of a store read back gives an equal store.
  // Layout in FORMAT.md beside this file. kCorrupt with the offset for anything else.
  static Result<TrustStore> from_blob(ByteView blob);
  Bytes to_blob() const;

  const std::vector<openpgp::Certificate>& certificates() const { return certificates_; }
  const std::vector<X509Ptr>& x509() const { return x509_; }
  const SignaturePolicy& policy() const { return policy_; }

  // One line a key, for people: "openpgp 24c6a8a7f4a80eb5 CentOS-7 Key (...)", "x509 CN=... serial ...".
  std::vector<std::string> describe() const;
  // The same, and why, for keys that are well-formed but verify nothing (see x509_unusable()).
  std::vector<std::string> unusable() const;
  // The files that do not count, and why: "README: not a key", "b.asc: offset 7: ...". Kept in the blob.
  const std::vector<std::string>& left_out() const { return left_out_; }
  // From now on what this list denies counts no more: signatures of its keys in certificates() and x509(),
  // and what denials() speaks against. What only a list denied that it replaces counts again. Errors: as
  // Denials::add(), and then nothing changed; kInvalid if OpenSSL fails.
  Result<void> deny(SignedDenyList list);
  const Denials& denials() const { return denials_; }
  const std::vector<X509Ptr>& denied_x509() const { return denied_x509_; }
  // By which text LoadedList::signer of a list may be that of a revoked key: key ids and subjects.
  const std::vector<std::string>& denied_signers() const { return denied_signers_; }

  // From now on the keys of this file count, too, less what was denied or will be. They are not of the
  // kernel's frozen keys: to_blob() is not to be called any more. Errors: as check_file(), and then nothing
  // changed.
  Result<void> grant(ByteView keys);
  bool has_file(ByteView content) const;  // byte for byte

  // Every certificate in every file, copies included, in the order of the files. kInvalid if OpenSSL fails.
  Result<std::vector<TrustedKey>> trusted_keys() const;

 private:
  struct KeyFile {
    std::string name;
    Bytes content;
    std::vector<std::string> fingerprints;
  };
  TrustStore() = default;
  Result<void> add(KeyFile file);
  using Fingerprints = std::map<const X509*, std::string>;
  Result<Fingerprints> fingerprints_of_x509() const;
  void deny_all(const Fingerprints& of_x509);
  void deny_key(const DenyEntry& denial, const Fingerprints& of_x509);
  Result<void> add_file(const std::string& folder, const std::string& name, size_t& total);

  SignaturePolicy policy_;
  std::vector<KeyFile> files_;
  std::vector<std::string> left_out_;
  std::vector<openpgp::Certificate> certificates_;
  std::vector<X509Ptr> x509_;
  Denials denials_;
  std::vector<std::string> denied_signers_;
  std::vector<X509Ptr> denied_x509_;
};

}  // namespace diglim
