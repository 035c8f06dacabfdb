// SPDX-License-Identifier: Apache-2.0
#include "lib/tpm/signing_key.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "lib/tcg/ecdsa_key.h"
#include "lib/tcg/marshal.h"
#include "lib/tcg/quote.h"

namespace diglim {
namespace {

constexpr size_t kPointBytes = 32;

BioPtr bio_over(std::string_view text) {
  init_openssl();
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

bool is_rsa(const EVP_PKEY* key) {
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;
}

Result<PkeyPtr> checked(PkeyPtr key, const char* what) {
  if (!key) return corrupt(0, std::string("no PEM ") + what + " key");
  const int bits = EVP_PKEY_get_bits(key.get());
  if (is_rsa(key.get()) && bits >= 2048 && bits <= 4096) return key;
  char group[32] = {};
  size_t size = 0;
  if (EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_EC &&
      EVP_PKEY_get_group_name(key.get(), group, sizeof(group), &size) == 1 &&
      (std::string_view(group) == "prime256v1" || std::string_view(group) == "P-256")) {
    return key;
  }
  return unsupported("the authorizing key must be RSA of 2048 to 4096 bits or ECDSA P-256");
}

Result<Bytes> number_of(EVP_PKEY* key, const char* name, size_t bytes) {
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &raw) != 1) return openssl_error("read a key");
  const BignumPtr number(raw);
  Bytes out(bytes != 0 ? bytes : static_cast<size_t>(BN_num_bytes(raw)));
  if (BN_bn2binpad(raw, out.data(), static_cast<int>(out.size())) < 0) return openssl_error("read a key");
  return out;
}

}  // namespace

Result<PkeyPtr> read_public_pem(std::string_view pem) {
  const BioPtr bio = bio_over(pem);
  return checked(PkeyPtr(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr)), "public");
}

Result<PkeyPtr> read_private_pem(std::string_view pem) {
  const BioPtr bio = bio_over(pem);
  return checked(PkeyPtr(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr)), "private");
}

Result<std::string> public_pem(EVP_PKEY* key) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_PUBKEY(bio.get(), key) != 1) return openssl_error("write a public key");
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

Result<TPM2B_PUBLIC> tpm_public_key(EVP_PKEY* key) {
  constexpr TPMA_OBJECT kAttributes = TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_USERWITHAUTH;
  if (is_rsa(key)) {
    TPM2B_PUBLIC sized = {};
    TPMT_PUBLIC& area = sized.publicArea;
    area.nameAlg = TPM2_ALG_SHA256;
    area.objectAttributes = kAttributes;
    area.type = TPM2_ALG_RSA;
    TPMS_RSA_PARMS& details = area.parameters.rsaDetail;
    details.symmetric.algorithm = TPM2_ALG_NULL;
    details.scheme.scheme = TPM2_ALG_RSASSA;
    details.scheme.details.rsassa.hashAlg = TPM2_ALG_SHA256;
    details.keyBits = static_cast<TPMI_RSA_KEY_BITS>(EVP_PKEY_get_bits(key));
    TRY_ASSIGN(const Bytes exponent, number_of(key, OSSL_PKEY_PARAM_RSA_E, 0));
    if (exponent != Bytes{1, 0, 1}) return unsupported("an RSA key whose exponent is not 65537");
    TRY_ASSIGN(const Bytes modulus, number_of(key, OSSL_PKEY_PARAM_RSA_N, 0));
    TRY(fill(area.unique.rsa.size, area.unique.rsa.buffer, modulus));
    return sized;
  }
  TRY_ASSIGN(const Bytes x, number_of(key, OSSL_PKEY_PARAM_EC_PUB_X, kPointBytes));
  TRY_ASSIGN(const Bytes y, number_of(key, OSSL_PKEY_PARAM_EC_PUB_Y, kPointBytes));
  return ecdsa_p256_public(kAttributes, x, y);
}

Result<Bytes> tpm_public_key_name(EVP_PKEY* key) {
  TRY_ASSIGN(const TPM2B_PUBLIC area, tpm_public_key(key));
  TRY_ASSIGN(const Bytes bytes, marshal(area, "public key", Tss2_MU_TPM2B_PUBLIC_Marshal));
  return tpm_name(bytes);
}

Result<Bytes> sign_digest(EVP_PKEY* key, ByteView digest) {
  const PkeyContextPtr context(EVP_PKEY_CTX_new(key, nullptr));
  size_t size = 0;
  const bool ready = context && EVP_PKEY_sign_init(context.get()) == 1 &&
                     (!is_rsa(key) || EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1) &&
                     EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) == 1 &&
                     EVP_PKEY_sign(context.get(), nullptr, &size, digest.data(), digest.size()) == 1;
  Bytes signature(size);
  if (!ready || EVP_PKEY_sign(context.get(), signature.data(), &size, digest.data(), digest.size()) != 1)
    return openssl_error("sign");
  signature.resize(size);
  return signature;
}

Result<void> verify_digest(EVP_PKEY* key, ByteView digest, ByteView signature) {
  const PkeyContextPtr context(EVP_PKEY_CTX_new(key, nullptr));
  const bool ready = context && EVP_PKEY_verify_init(context.get()) == 1 &&
                     (!is_rsa(key) || EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1) &&
                     EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) == 1;
  if (!ready ||
      EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest.data(), digest.size()) != 1) {
    ERR_clear_error();
    return untrusted("the authorization is not signed by the key that it must be signed by");
  }
  return {};
}

Result<TPMT_SIGNATURE> tpm_signature(EVP_PKEY* key, ByteView signature) {
  TPMT_SIGNATURE out = {};
  if (is_rsa(key)) {
    out.sigAlg = TPM2_ALG_RSASSA;
    out.signature.rsassa.hash = TPM2_ALG_SHA256;
    TRY(fill(out.signature.rsassa.sig.size, out.signature.rsassa.sig.buffer, signature));
    return out;
  }
  const unsigned char* at = signature.data();
  const EcdsaSigPtr parsed(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(signature.size())));
  if (!parsed || at != signature.data() + signature.size()) return corrupt(0, "not an ECDSA signature");
  out.sigAlg = TPM2_ALG_ECDSA;
  TPMS_SIGNATURE_ECDSA& ecdsa = out.signature.ecdsa;
  ecdsa.hash = TPM2_ALG_SHA256;
  Bytes r(kPointBytes);
  Bytes s(kPointBytes);
  if (BN_bn2binpad(ECDSA_SIG_get0_r(parsed.get()), r.data(), kPointBytes) < 0 ||
      BN_bn2binpad(ECDSA_SIG_get0_s(parsed.get()), s.data(), kPointBytes) < 0) {
    return corrupt(0, "not an ECDSA P-256 signature");
  }
  TRY(fill(ecdsa.signatureR.size, ecdsa.signatureR.buffer, r));
  TRY(fill(ecdsa.signatureS.size, ecdsa.signatureS.buffer, s));
  return out;
}

}  // namespace diglim
