// SPDX-License-Identifier: Apache-2.0
// A certificate request (PKCS#10, RFC 2986) for a key that only a TPM can use.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/crypto/hash.h"
#include "lib/crypto/openssl.h"

namespace diglim {

// A signature over the digest, in OpenSSL's form; RSA: PKCS#1 v1.5.
using SignDigest = std::function<Result<Bytes>(HashAlgo algo, ByteView digest)>;

// PEM. The first of `names` is the subject's common name, all are alternative names: hosts
// ("www.example.org",
// "*.example.org") or addresses. SHA-384 for P-384, else SHA-256. kInvalid: none, or something else.
Result<std::string> certificate_request(EVP_PKEY* public_key, const std::vector<std::string>& names,
                                        const SignDigest& sign);

}  // namespace diglim
