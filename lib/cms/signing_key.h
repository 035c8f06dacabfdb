// SPDX-License-Identifier: Apache-2.0
// A private key that signs lists, wherever it lies: in a file, on a token, in a TPM.
#pragma once

#include <openssl/crypto.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "lib/base/bytes.h"
#include "lib/base/result.h"
#include "lib/crypto/openssl.h"

namespace diglim {

// Asks for the pass phrase of a key, or the PIN of a token. Nothing: whoever was asked gave none.
using Passphrase = std::function<std::optional<std::string>()>;

class SigningKey {
 public:
  // `name` is one of
  //   a file with a private key in PEM; or one that a TPM wrapped ("BEGIN TSS2 PRIVATE KEY");
  //   "handle:0x81000001": a persistent key of a TPM (tpm2-openssl);
  //   "pkcs11:...": a key on a token (RFC 7512), by OpenSSL's provider pkcs11, else by its engine of that
  //   name.
  // Only for the last three a module of OpenSSL's is loaded, into a context of its own: nothing that is
  // verified uses it. `passphrase` is called once, and only if the key needs one.
  // Errors are about the key and do not name it: kNotFound, kIo, kCorrupt, kUnsupported (an encrypted key
  // without `passphrase`; a module that is not installed), kInvalid (a wrong pass phrase; no such key).
  static Result<SigningKey> load(const std::string& name, const Passphrase& passphrase);

  EVP_PKEY* get() const { return key_.get(); }

  // What this key signs: SHA-256 of the content, by RSA (PKCS #1 v1.5) or ECDSA; Ed25519 the content itself.
  Result<Bytes> sign(ByteView content) const;

 private:
  using Context = Owned<OSSL_LIB_CTX, OSSL_LIB_CTX_free>;

  // In this order: the key is of the context, and of the engine.
  Context context_;               // none: OpenSSL's own
  std::shared_ptr<void> engine_;  // none: it is not of one
  PkeyPtr key_;
  const char* provider_ = nullptr;  // whose signatures are preferred: the key does not leave it
};

}  // namespace diglim
