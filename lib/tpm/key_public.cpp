// SPDX-License-Identifier: Apache-2.0
#include "lib/tpm/key_public.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <string>

namespace diglim {
namespace {

constexpr uint32_t kUsualExponent = 65537;  // what a TPM means by 0

Result<PkeyPtr> from_params(const char* type, OSSL_PARAM* params, OSSL_LIB_CTX* libctx) {
  const PkeyContextPtr context(EVP_PKEY_CTX_new_from_name(libctx, type, "provider=default"));
  EVP_PKEY* key = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
    return openssl_error("public part of a TPM key");
  return PkeyPtr(key);
}

Result<PkeyPtr> rsa(const TPMT_PUBLIC& area, OSSL_LIB_CTX* libctx) {
  const TPM2B_PUBLIC_KEY_RSA& modulus = area.unique.rsa;
  const BignumPtr n(BN_bin2bn(modulus.buffer, modulus.size, nullptr));
  const uint32_t said = area.parameters.rsaDetail.exponent;
  const BignumPtr e(BN_new());
  const Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
  if (!n || !e || !builder || BN_set_word(e.get(), said == 0 ? kUsualExponent : said) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1)
    return openssl_error("public part of a TPM key");
  const Owned<OSSL_PARAM, OSSL_PARAM_free> params(OSSL_PARAM_BLD_to_param(builder.get()));
  if (!params) return openssl_error("public part of a TPM key");
  return from_params("RSA", params.get(), libctx);
}

Result<PkeyPtr> ec(const TPMT_PUBLIC& area, OSSL_LIB_CTX* libctx) {
  const bool p256 = area.parameters.eccDetail.curveID == TPM2_ECC_NIST_P256;
  std::string group = p256 ? "P-256" : "P-384";
  const size_t field = p256 ? 32 : 48;
  const TPMS_ECC_POINT& at = area.unique.ecc;
  if (at.x.size > field || at.y.size > field) return invalid("a TPM key with a point off its curve");
  Bytes point(1 + 2 * field, 0);
  point[0] = 0x04;  // uncompressed; TPMs leave leading zeros out
  std::copy_n(at.x.buffer, at.x.size, point.begin() + 1 + static_cast<std::ptrdiff_t>(field - at.x.size));
  std::copy_n(at.y.buffer, at.y.size, point.end() - at.y.size);
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
      OSSL_PARAM_construct_end(),
  };
  return from_params("EC", params, libctx);
}

}  // namespace

Result<PkeyPtr> openssl_public_key(const TPM2B_PUBLIC& sized, OSSL_LIB_CTX* libctx) {
  const TPMT_PUBLIC& area = sized.publicArea;
  if (area.type == TPM2_ALG_RSA) return rsa(area, libctx);
  const TPMI_ECC_CURVE curve = area.parameters.eccDetail.curveID;
  if (area.type == TPM2_ALG_ECC && (curve == TPM2_ECC_NIST_P256 || curve == TPM2_ECC_NIST_P384))
    return ec(area, libctx);
  return unsupported("a TPM key that is neither RSA nor ECC P-256 or P-384");
}

Result<Bytes> openssl_signature(const TPMT_SIGNATURE& signature) {
  if (signature.sigAlg == TPM2_ALG_RSASSA || signature.sigAlg == TPM2_ALG_RSAPSS) {
    const TPM2B_PUBLIC_KEY_RSA& number = signature.signature.rsassa.sig;
    return Bytes(number.buffer, number.buffer + number.size);
  }
  if (signature.sigAlg != TPM2_ALG_ECDSA) return unsupported("a signature of another scheme");
  const TPMS_SIGNATURE_ECC& raw = signature.signature.ecdsa;
  const EcdsaSigPtr pair(ECDSA_SIG_new());
  BignumPtr r(BN_bin2bn(raw.signatureR.buffer, raw.signatureR.size, nullptr));
  BignumPtr s(BN_bin2bn(raw.signatureS.buffer, raw.signatureS.size, nullptr));
  if (!pair || !r || !s || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1)
    return openssl_error("a signature");
  (void)r.release();  // they are the pair's now
  (void)s.release();
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(pair.get(), &der);
  if (size <= 0) return openssl_error("a signature");
  const OpensslPtr<unsigned char> owner(der);
  return Bytes(der, der + size);
}

}  // namespace diglim
