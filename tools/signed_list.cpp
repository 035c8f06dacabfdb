// SPDX-License-Identifier: Apache-2.0
#include "tools/signed_list.h"

#include "lib/base/file.h"
#include "lib/cms/appended_signature.h"
#include "lib/cms/cms.h"
#include "lib/digest_list/compact.h"

namespace diglim {

Result<Bytes> make_compact_list(const FileDigests& digests, HashAlgo algo, bool immutable) {
  if (digests.digests.size() * hash_size(algo) > kMaxCompactBytes)
    return unsupported("too many files for one list");
  Bytes all;
  for (const Bytes& digest : digests.digests) append(all, digest);
  return write_compact(algo, all, immutable ? kCompactImmutable : 0);
}

Result<std::string> sign_compact_list(Bytes& list, const std::string& key, const std::string& certificate,
                                      const Passphrase& passphrase) {
  TRY_ASSIGN(const Bytes signature, sign_cms(list, key, certificate, passphrase));
  TRY_ASSIGN(const Bytes signer_file, read_file(certificate, 1u << 20));
  TRY_ASSIGN(const auto trusted, read_x509(signer_file));
  MessageHash message(list);
  TRY_ASSIGN(const std::string signer, verify_cms(signature, list.size(), message, trusted, {}));
  list = append_signature(list, signature, SignatureType::kPkcs7);
  return signer;
}

}  // namespace diglim
