// SPDX-License-Identifier: Apache-2.0
#include "lib/tpm/credential.h"

#include <openssl/core_names.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "lib/crypto/hash.h"
#include "lib/crypto/openssl.h"
#include "lib/crypto/public_key.h"
#include "lib/tcg/marshal.h"

namespace diglim {
namespace {

constexpr size_t kSeedBytes = 32;  // of nameAlg SHA-256
constexpr size_t kAesBytes = 16;
constexpr char kIdentity[] = "IDENTITY";  // with its zero byte: the label of the OAEP encryption

Result<Bytes> hmac_sha256(ByteView key, ByteView data) {
  Bytes out(kMaxDigestSize);
  unsigned int size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), data.data(), data.size(), out.data(),
           &size) == nullptr)
    return openssl_error("HMAC");
  out.resize(size);
  return out;
}

// KDFa (part 1, section 11.4.10.2); one block is enough for what is asked here.
Result<Bytes> kdfa(ByteView key, std::string_view label, ByteView context, uint32_t bits) {
  Bytes data;
  put_u32_be(data, 1);
  append(data, as_bytes(label));
  data.push_back(0);
  append(data, context);
  put_u32_be(data, bits);
  TRY_ASSIGN(Bytes out, hmac_sha256(key, data));
  out.resize(bits / 8);
  return out;
}

Result<Bytes> encrypt_aes_cfb(ByteView key, ByteView data) {
  const Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free> context(EVP_CIPHER_CTX_new());
  const Bytes iv(kAesBytes, 0);
  Bytes out(data.size());
  int size = 0;
  if (!context ||
      EVP_EncryptInit_ex(context.get(), EVP_aes_128_cfb128(), nullptr, key.data(), iv.data()) != 1 ||
      EVP_EncryptUpdate(context.get(), out.data(), &size, data.data(), static_cast<int>(data.size())) != 1) {
    return openssl_error("AES");
  }
  return out;
}

Result<Bytes> encrypt_oaep(EVP_PKEY* key, ByteView data) {
  const PkeyContextPtr context(EVP_PKEY_CTX_new(key, nullptr));
  void* label = OPENSSL_memdup(kIdentity, sizeof(kIdentity));  // the context's, once it took it
  const bool ready = context && label != nullptr && EVP_PKEY_encrypt_init(context.get()) == 1 &&
                     EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) == 1 &&
                     EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), EVP_sha256()) == 1 &&
                     EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), EVP_sha256()) == 1;
  if (!ready || EVP_PKEY_CTX_set0_rsa_oaep_label(context.get(), label, sizeof(kIdentity)) != 1) {
    OPENSSL_free(label);
    return openssl_error("OAEP");
  }
  Bytes out(static_cast<size_t>(EVP_PKEY_get_size(key)));
  size_t size = out.size();
  if (EVP_PKEY_encrypt(context.get(), out.data(), &size, data.data(), data.size()) != 1)
    return openssl_error("OAEP");
  out.resize(size);
  return out;
}

}  // namespace

Result<PkeyPtr> endorsement_public_key(ByteView ek) {
  TRY_ASSIGN(const TPM2B_PUBLIC sized,
             unmarshal<TPM2B_PUBLIC>(ek, "TPM2B_PUBLIC", Tss2_MU_TPM2B_PUBLIC_Unmarshal));
  const TPMT_PUBLIC& area = sized.publicArea;
  constexpr TPMA_OBJECT kNeeded =
      TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;
  if ((area.objectAttributes & kNeeded) != kNeeded || (area.objectAttributes & TPMA_OBJECT_SIGN_ENCRYPT) != 0)
    return untrusted(
        "not an endorsement key: it must be a restricted decryption key that cannot leave its TPM");
  const TPMS_RSA_PARMS& details = area.parameters.rsaDetail;
  const bool known = area.type == TPM2_ALG_RSA && area.nameAlg == TPM2_ALG_SHA256 &&
                     details.symmetric.algorithm == TPM2_ALG_AES && details.symmetric.keyBits.aes == 128 &&
                     details.symmetric.mode.aes == TPM2_ALG_CFB;
  if (!known) return unsupported("an endorsement key that is not RSA with AES-128-CFB and SHA-256");
  Bytes exponent;
  put_u32_be(exponent, details.exponent == 0 ? 65537 : details.exponent);
  return rsa_public_key({area.unique.rsa.buffer, area.unique.rsa.size}, exponent);
}

Result<Bytes> make_credential(ByteView ek, ByteView object_name, ByteView secret) {
  if (secret.empty() || secret.size() > kMaxCredentialSecret)
    return invalid("a secret of 1 to 32 bytes is expected");
  TRY_ASSIGN(const PkeyPtr key, endorsement_public_key(ek));
  Bytes seed(kSeedBytes);
  if (RAND_bytes(seed.data(), static_cast<int>(seed.size())) != 1) return openssl_error("random bytes");
  TRY_ASSIGN(const Bytes encrypted_seed, encrypt_oaep(key.get(), seed));

  TRY_ASSIGN(const Bytes aes_key, kdfa(seed, "STORAGE", object_name, 8 * kAesBytes));
  Bytes sized_secret;
  put_u16_be(sized_secret, static_cast<uint16_t>(secret.size()));
  append(sized_secret, secret);
  TRY_ASSIGN(const Bytes identity, encrypt_aes_cfb(aes_key, sized_secret));
  TRY_ASSIGN(const Bytes hmac_key, kdfa(seed, "INTEGRITY", {}, 256));
  Bytes covered = identity;
  append(covered, object_name);
  TRY_ASSIGN(const Bytes integrity, hmac_sha256(hmac_key, covered));

  Bytes out;
  put_u16_be(out, static_cast<uint16_t>(2 + integrity.size() + identity.size()));
  put_u16_be(out, static_cast<uint16_t>(integrity.size()));
  append(out, integrity);
  append(out, identity);
  put_u16_be(out, static_cast<uint16_t>(encrypted_seed.size()));
  append(out, encrypted_seed);
  return out;
}

}  // namespace diglim
