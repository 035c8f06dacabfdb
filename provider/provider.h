// SPDX-License-Identifier: Apache-2.0
// Inside the provider: what its parts share. See OpenSSL's provider(7), and README.md here.
#pragma once

#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <atomic>
#include <memory>
#include <optional>

#include "lib/base/error.h"
#include "lib/crypto/openssl.h"
#include "lib/tpm/signer.h"

namespace diglim::provider {

struct Context {
  // Of our own, with OpenSSL's default provider only: what is public is left to it, whatever the process has.
  Owned<OSSL_LIB_CTX, OSSL_LIB_CTX_free> libctx;
  std::unique_ptr<TpmSigner> signer;
  std::optional<Error> wrong_setting;  // then no key can be read, and there is no signer
};

// What EVP_PKEY holds. Of others' public keys, which OpenSSL compares with ours, there is no TPM part.
class Key {
 public:
  explicit Key(Context& of) : context(of) {}
  void keep() { ++references_; }
  void drop() {
    if (--references_ == 0) delete this;
  }

  Context& context;
  PkeyPtr public_key;
  std::unique_ptr<TpmKeyParts> parts;

 private:
  ~Key() = default;
  std::atomic<int> references_{1};
};

// While it lives, what the program had in OpenSSL's queue of errors stays there, though openssl_error()
// clears the queue.
class OldErrors {
 public:
  OldErrors() : marked_(ERR_set_mark() == 1) {}
  OldErrors(const OldErrors&) = delete;
  OldErrors& operator=(const OldErrors&) = delete;
  ~OldErrors() {
    if (marked_) (void)ERR_clear_last_mark();
  }

 private:
  bool marked_;  // an empty queue takes no mark
};

// Into OpenSSL's queue of errors, from where servers write it to their logs.
void raise(int reason, const Error& error);

inline constexpr char kRsa[] = "RSA";
inline constexpr char kEc[] = "EC";

extern const OSSL_ALGORITHM kDecoders[];
extern const OSSL_ALGORITHM kKeyManagement[];
extern const OSSL_ALGORITHM kSignatures[];

// OSSL_DISPATCH keeps each function as one of this type.
template <typename Function>
OSSL_DISPATCH entry(int id, Function* function) {
  return {id, reinterpret_cast<void (*)()>(function)};
}

}  // namespace diglim::provider
