// SPDX-License-Identifier: Apache-2.0
// Signs with keys that only a TPM can use, again and again, for a server. The command goes through a session
// that is salted with the key's parent and encrypts its parameter. One connection for all threads: a TPM does
// one thing at a time anyway.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "lib/crypto/hash.h"
#include "lib/tpm/key_policy.h"

namespace diglim {

enum class SignatureScheme { kEcdsa, kRsaPkcs1, kRsaPss };

struct SignerSettings {
  std::string tcti;                      // as Tpm::open()
  std::chrono::milliseconds wait{5000};  // for one signature: for other threads, the connection, each answer
  // Keep connection, session and loaded keys for the next signature. Else each takes its turn at a TPM that
  // serves one connection at a time.
  bool keep = false;
};

// Thread-safe, and safe in a child after fork(), which waits for signatures under way: the child opens a
// connection of its own. Errors: kNotFound: no TPM
// there, or no connection to be had in time. kIo: the TPM refused, or did not answer in time; kUntrusted:
// that key is not this TPM's, or the PCRs hold other values than its policy says.
class TpmSigner {
 public:
  explicit TpmSigner(SignerSettings settings);
  ~TpmSigner();

  // Whether this TPM takes the key; asks nothing of its policy.
  Result<void> check(const TpmKeyParts& key);
  // `digest`: of `algo`, which is SHA-256, SHA-384 or SHA-512. In OpenSSL's form (openssl_signature()).
  Result<Bytes> sign(const TpmKeyParts& key, SignatureScheme scheme, HashAlgo algo, ByteView digest);

 private:
  struct Line;
  template <typename Use>
  auto with_line(Use use) -> decltype(use(std::declval<Line&>()));
  Result<void> open_line(std::chrono::steady_clock::time_point deadline);

  const SignerSettings settings_;
  std::unique_ptr<Line> line_;
};

}  // namespace diglim
