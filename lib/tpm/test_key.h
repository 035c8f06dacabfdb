// SPDX-License-Identifier: Apache-2.0
// For tests and fuzz seeds: key files as a TPM and `diglim tls` would make them, for keys of OpenSSL.
#pragma once

#include "lib/crypto/openssl.h"
#include "lib/tpm/key_file.h"
#include "lib/tpm/sealed.h"

namespace diglim {

class TestKey {
 public:
  TestKey();  // new keys, ECDSA P-256

  KeyFile unbound() const;   // no policy
  KeyFile bound() const;     // to PCR 12
  KeyFile approved() const;  // to what the authority approves of: approval()
  Authorization approval() const;
  KeyFile limited() const;  // the same with a counter: limited_approval()
  Authorization limited_approval() const;
  std::string authority_pem() const;
  EVP_PKEY* key() const { return key_.get(); }

 private:
  KeyFile file(ByteView policy) const;
  KeyFile approved_by(const Authorization& approval) const;
  Authorization signed_approval(Authorization approval) const;

  PkeyPtr key_;
  PkeyPtr authority_;
};

}  // namespace diglim
