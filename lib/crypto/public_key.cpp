// SPDX-License-Identifier: Apache-2.0
#include "lib/crypto/public_key.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <string>

namespace diglim {
namespace {

BignumPtr bignum(ByteView bytes) {
  if (bytes.size() > kMaxRsaBits / 8) return nullptr;
  return BignumPtr(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
}

Result<PkeyPtr> from_params(const char* type, OSSL_PARAM* params) {
  const PkeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params) != 1) {
    EVP_PKEY_free(key);
    return openssl_error("public key");
  }
  return PkeyPtr(key);
}

// Every answer but 1 (a wrong signature, an error) leaves the queue clean and counts as wrong.
bool verified(int answer) {
  if (answer == 1) return true;
  ERR_clear_error();
  return false;
}

PkeyContextPtr verify_context(EVP_PKEY* key) {
  PkeyContextPtr context(EVP_PKEY_CTX_new(key, nullptr));
  if (!context || EVP_PKEY_verify_init(context.get()) != 1) {
    ERR_clear_error();
    return nullptr;
  }
  return context;
}

}  // namespace

Result<PkeyPtr> rsa_public_key(ByteView modulus, ByteView exponent) {
  init_openssl();
  const BignumPtr n = bignum(modulus);
  const BignumPtr e = bignum(exponent);
  if (!n || !e) return invalid("RSA key: a number is too long");
  // With e = 1 the padded digest is its own signature, and an even n or e is not RSA at all.
  if (!BN_is_odd(n.get()) || !BN_is_odd(e.get()) || BN_is_one(e.get()))
    return invalid("RSA key: not an RSA key");
  const Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
  if (!builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return openssl_error("RSA key");
  }
  const Owned<OSSL_PARAM, OSSL_PARAM_free> params(OSSL_PARAM_BLD_to_param(builder.get()));
  if (!params) return openssl_error("RSA key");
  return from_params("RSA", params.get());
}

Result<PkeyPtr> ec_public_key(Curve curve, ByteView point) {
  init_openssl();
  std::string group = curve == Curve::kP256 ? "P-256" : curve == Curve::kP384 ? "P-384" : "P-521";
  const size_t field = curve == Curve::kP256 ? 32 : curve == Curve::kP384 ? 48 : 66;
  if (point.size() != 1 + 2 * field || point[0] != 0x04) return invalid("EC key: not an uncompressed point");
  Bytes encoded = to_bytes(point);  // OSSL_PARAM wants it mutable, and does not write
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, encoded.data(), encoded.size()),
      OSSL_PARAM_construct_end(),
  };
  return from_params("EC", params);  // checks that the point is on the curve
}

Result<PkeyPtr> ed25519_public_key(ByteView raw) {
  init_openssl();
  if (raw.size() != 32) return invalid("Ed25519 key: not 32 bytes");
  PkeyPtr key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, raw.data(), raw.size()));
  if (!key) return openssl_error("Ed25519 key");
  return key;
}

size_t key_bits(const EVP_PKEY* key) {
  return static_cast<size_t>(EVP_PKEY_get_bits(key));
}

bool verify_rsa(EVP_PKEY* key, HashAlgo algo, ByteView digest, ByteView signature) {
  const auto size = static_cast<size_t>(EVP_PKEY_get_size(key));
  if (signature.size() > size) return false;
  Bytes padded(size - signature.size(), 0);
  append(padded, signature);
  const PkeyContextPtr context = verify_context(key);
  if (!context || EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) != 1 ||
      EVP_PKEY_CTX_set_signature_md(context.get(), hash_evp(algo)) != 1) {
    ERR_clear_error();
    return false;
  }
  return verified(EVP_PKEY_verify(context.get(), padded.data(), padded.size(), digest.data(), digest.size()));
}

bool verify_ecdsa(EVP_PKEY* key, ByteView digest, ByteView r, ByteView s) {
  BignumPtr r_number = bignum(r);
  BignumPtr s_number = bignum(s);
  const EcdsaSigPtr sig(ECDSA_SIG_new());
  if (!r_number || !s_number || !sig) return false;
  if (ECDSA_SIG_set0(sig.get(), r_number.get(), s_number.get()) != 1) return false;
  (void)r_number.release();  // sig owns both now
  (void)s_number.release();
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(sig.get(), &der);
  const OpensslPtr<unsigned char> owned(der);
  const PkeyContextPtr context = verify_context(key);
  if (size <= 0 || !context) return false;
  return verified(
      EVP_PKEY_verify(context.get(), der, static_cast<size_t>(size), digest.data(), digest.size()));
}

bool verify_ed25519(EVP_PKEY* key, ByteView message, ByteView signature) {
  const MdContextPtr context(EVP_MD_CTX_new());
  if (!context || EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key) != 1) {
    ERR_clear_error();
    return false;
  }
  return verified(
      EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()));
}

}  // namespace diglim
