// SPDX-License-Identifier: Apache-2.0
// Public keys from raw numbers, and verification of raw signatures over a digest. The caller takes the
// numbers out of their format (OpenPGP packets, ...); OpenSSL does the arithmetic.
#pragma once

#include "lib/base/bytes.h"
#include "lib/crypto/hash.h"
#include "lib/crypto/openssl.h"

namespace diglim {

enum class Curve { kP256, kP384, kP521 };

// Largest RSA modulus accepted; also OpenSSL's own limit (OPENSSL_RSA_MAX_MODULUS_BITS).
constexpr size_t kMaxRsaBits = 16384;

// All integers are big-endian and unsigned; leading zeros do not matter.
// Errors of all three: kInvalid (not a key: an even or tiny number, a point off the curve, a wrong length).
Result<PkeyPtr> rsa_public_key(ByteView modulus, ByteView exponent);
Result<PkeyPtr> ec_public_key(Curve curve, ByteView point);  // 04 || x || y; a compressed point is refused
Result<PkeyPtr> ed25519_public_key(ByteView raw);            // 32 bytes

size_t key_bits(const EVP_PKEY* key);  // REQUIRES: not null

// True only if the signature is correct. If anything else goes wrong inside OpenSSL, the result is false,
// too: the caller must stop. REQUIRES: the key is of that algorithm and not null. PKCS#1 v1.5. A signature
// shorter than the modulus is padded on the left: an OpenPGP integer has no leading zeros.
bool verify_rsa(EVP_PKEY* key, HashAlgo algo, ByteView digest, ByteView signature);
bool verify_ecdsa(EVP_PKEY* key, ByteView digest, ByteView r, ByteView s);
bool verify_ed25519(EVP_PKEY* key, ByteView message, ByteView signature);  // 64 bytes

}  // namespace diglim
