// SPDX-License-Identifier: Apache-2.0
// Signatures: hashed here, signed by the TPM. Verifying is left to OpenSSL's default provider.
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/proverr.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <charconv>
#include <cstring>
#include <optional>
#include <string>

#include "provider/provider.h"

namespace diglim::provider {
namespace {

using MdPtr = Owned<EVP_MD, EVP_MD_free>;
using AlgorithmPtr = Owned<X509_ALGOR, X509_ALGOR_free>;

struct KnownDigest {
  const char* name;
  HashAlgo algo;
  int nid;
};
constexpr KnownDigest kDigests[] = {{"SHA2-256", HashAlgo::kSha256, NID_sha256},
                                    {"SHA2-384", HashAlgo::kSha384, NID_sha384},
                                    {"SHA2-512", HashAlgo::kSha512, NID_sha512}};

struct DropKey {
  void operator()(Key* key) const { key->drop(); }
};

struct Signing {
  explicit Signing(Context& of) : context(of) {}
  Context& context;
  std::unique_ptr<Key, DropKey> key;
  const KnownDigest* digest = &kDigests[0];
  MdContextPtr hashing;
  int padding = RSA_PKCS1_PADDING;

  bool is_rsa() const { return key->parts->public_part.publicArea.type == TPM2_ALG_RSA; }
};

Signing& of(void* context) {
  return *static_cast<Signing*>(context);
}

int refuse(int reason, const std::string& why) {
  raise(reason, invalid(why));
  return 0;
}

MdPtr fetch(const Signing& signing, const char* name) {
  return MdPtr(EVP_MD_fetch(signing.context.libctx.get(), name, nullptr));
}

void* new_context(void* provider, const char* /*properties*/) {
  return new Signing(*static_cast<Context*>(provider));
}
void free_context(void* context) {
  delete static_cast<Signing*>(context);
}

void* duplicate(void* context) {
  Signing& from = of(context);
  auto copy = std::make_unique<Signing>(from.context);
  if (from.key) {
    from.key->keep();
    copy->key.reset(from.key.get());
  }
  copy->digest = from.digest;
  copy->padding = from.padding;
  if (from.hashing) {
    copy->hashing.reset(EVP_MD_CTX_new());
    if (!copy->hashing || EVP_MD_CTX_copy_ex(copy->hashing.get(), from.hashing.get()) != 1) return nullptr;
  }
  return copy.release();
}

int set_digest(Signing& signing, const char* name) {
  const MdPtr md = fetch(signing, name);
  for (const KnownDigest& known : kDigests) {
    if (!md || EVP_MD_is_a(md.get(), known.name) != 1) continue;
    signing.digest = &known;
    return 1;
  }
  return refuse(PROV_R_DIGEST_NOT_ALLOWED,
                std::string("a TPM key signs SHA-256, SHA-384 and SHA-512, not ") + name);
}

// Some say it by number, some by name.
std::optional<std::string> text_of(const OSSL_PARAM* param) {
  int number = 0;
  if (param->data_type != OSSL_PARAM_UTF8_STRING)
    return OSSL_PARAM_get_int(param, &number) == 1 ? std::optional(std::to_string(number)) : std::nullopt;
  const char* text = nullptr;
  return OSSL_PARAM_get_utf8_string_ptr(param, &text) == 1 ? std::optional<std::string>(text) : std::nullopt;
}

int set_padding(Signing& signing, const std::string& mode) {
  if (mode == OSSL_PKEY_RSA_PAD_MODE_PKCSV15 || mode == std::to_string(RSA_PKCS1_PADDING)) {
    signing.padding = RSA_PKCS1_PADDING;
  } else if (mode == OSSL_PKEY_RSA_PAD_MODE_PSS || mode == std::to_string(RSA_PKCS1_PSS_PADDING)) {
    signing.padding = RSA_PKCS1_PSS_PADDING;
  } else {
    return refuse(PROV_R_ILLEGAL_OR_UNSUPPORTED_PADDING_MODE, "this key signs with PKCS#1 v1.5 or PSS only");
  }
  return 1;
}

// The TPM chooses the salt, as long as the digest; what is asked for must allow that.
int check_salt(const Signing& signing, const std::string& size) {
  const MdPtr md = fetch(signing, signing.digest->name);
  if (size == OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST || size == OSSL_PKEY_RSA_PSS_SALT_LEN_AUTO ||
      size == std::to_string(RSA_PSS_SALTLEN_DIGEST) || size == std::to_string(RSA_PSS_SALTLEN_AUTO) ||
      (md && size == std::to_string(EVP_MD_get_size(md.get()))))
    return 1;
  return refuse(PROV_R_INVALID_SALT_LENGTH, "a PSS salt is as long as the digest");
}

int set_params(void* context, const OSSL_PARAM params[]) {
  Signing& signing = of(context);
  if (params == nullptr) return 1;
  for (const OSSL_PARAM* param = params; param->key != nullptr; ++param) {
    const std::string_view key = param->key;
    const auto text = text_of(param);
    if (!text) continue;
    int good = 1;
    if (key == OSSL_SIGNATURE_PARAM_DIGEST) good = set_digest(signing, text->c_str());
    if (key == OSSL_SIGNATURE_PARAM_PAD_MODE) good = set_padding(signing, *text);
    if (key == OSSL_SIGNATURE_PARAM_PSS_SALTLEN) good = check_salt(signing, *text);
    if (key == OSSL_SIGNATURE_PARAM_MGF1_DIGEST) {
      const MdPtr md = fetch(signing, text->c_str());
      if (!md || EVP_MD_is_a(md.get(), signing.digest->name) != 1)
        good = refuse(PROV_R_DIGEST_NOT_ALLOWED, "MGF1 goes by the digest that is signed");
    }
    if (good != 1) return 0;
  }
  return 1;
}

const OSSL_PARAM kSettable[] = {OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, nullptr, 0),
                                OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, nullptr, 0),
                                OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, nullptr, 0),
                                OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, nullptr, 0),
                                OSSL_PARAM_END};
const OSSL_PARAM* settable_params(void* /*context*/, void* /*provider*/) {
  return kSettable;
}

// What stands in a certificate request or certificate beside the signature. PSS has parameters, which nobody
// asked for so far.
int algorithm_id(const Signing& signing, OSSL_PARAM* param) {
  int nid = NID_undef;
  const bool rsa = signing.is_rsa();
  if (rsa && signing.padding != RSA_PKCS1_PADDING) return 0;
  const AlgorithmPtr algorithm(X509_ALGOR_new());
  if (!algorithm ||
      OBJ_find_sigid_by_algs(&nid, signing.digest->nid, rsa ? NID_rsaEncryption : NID_X9_62_id_ecPublicKey) !=
          1 ||
      X509_ALGOR_set0(algorithm.get(), OBJ_nid2obj(nid), rsa ? V_ASN1_NULL : V_ASN1_UNDEF, nullptr) != 1)
    return 0;
  unsigned char* der = nullptr;
  const int size = i2d_X509_ALGOR(algorithm.get(), &der);
  const OpensslPtr<unsigned char> owner(der);
  return size > 0 ? OSSL_PARAM_set_octet_string(param, der, static_cast<size_t>(size)) : 0;
}

int get_params(void* context, OSSL_PARAM params[]) {
  const Signing& signing = of(context);
  if (OSSL_PARAM* id = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_ALGORITHM_ID);
      id != nullptr && (!signing.key || algorithm_id(signing, id) != 1))
    return 0;
  OSSL_PARAM* digest = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_DIGEST);
  return static_cast<int>(digest == nullptr || OSSL_PARAM_set_utf8_string(digest, signing.digest->name) == 1);
}

const OSSL_PARAM kGettable[] = {OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, nullptr, 0),
                                OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, nullptr, 0),
                                OSSL_PARAM_END};
const OSSL_PARAM* gettable_params(void* /*context*/, void* /*provider*/) {
  return kGettable;
}

int sign_init(void* context, void* key, const OSSL_PARAM params[]) {
  Signing& signing = of(context);
  if (key != nullptr) {
    Key* wanted = static_cast<Key*>(key);
    if (!wanted->parts) return refuse(PROV_R_NOT_A_PRIVATE_KEY, "only the public part of this key is here");
    wanted->keep();
    signing.key.reset(wanted);
  }
  return static_cast<int>(signing.key && set_params(context, params) == 1);
}

int digest_sign_init(void* context, const char* name, void* key, const OSSL_PARAM params[]) {
  Signing& signing = of(context);
  if (name != nullptr && *name != 0 && set_digest(signing, name) != 1) return 0;
  if (sign_init(context, key, params) != 1) return 0;
  const MdPtr md = fetch(signing, signing.digest->name);
  signing.hashing.reset(EVP_MD_CTX_new());
  return static_cast<int>(md && signing.hashing &&
                          EVP_DigestInit_ex2(signing.hashing.get(), md.get(), nullptr) == 1);
}

int digest_update(void* context, const unsigned char* data, size_t size) {
  return of(context).hashing ? EVP_DigestUpdate(of(context).hashing.get(), data, size) : 0;
}

// A peer would find it out, and say less.
bool has_expected_salt(const Signing& signing, ByteView digest, ByteView signature) {
  const PkeyContextPtr verifying(
      EVP_PKEY_CTX_new_from_pkey(signing.context.libctx.get(), signing.key->public_key.get(), nullptr));
  const MdPtr md = fetch(signing, signing.digest->name);
  return verifying && md && EVP_PKEY_verify_init(verifying.get()) == 1 &&
         EVP_PKEY_CTX_set_rsa_padding(verifying.get(), RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(verifying.get(), RSA_PSS_SALTLEN_DIGEST) == 1 &&
         EVP_PKEY_CTX_set_signature_md(verifying.get(), md.get()) == 1 &&
         EVP_PKEY_verify(verifying.get(), signature.data(), signature.size(), digest.data(), digest.size()) ==
             1;
}

int sign(void* context, unsigned char* out, size_t* size, size_t room, const unsigned char* digest,
         size_t digest_size) {
  const OldErrors kept;
  Signing& signing = of(context);
  if (!signing.key) return 0;
  const auto largest = static_cast<size_t>(EVP_PKEY_get_size(signing.key->public_key.get()));
  if (out == nullptr) {
    *size = largest;
    return 1;
  }
  const bool pss = signing.is_rsa() && signing.padding == RSA_PKCS1_PSS_PADDING;
  const auto scheme = !signing.is_rsa() ? SignatureScheme::kEcdsa
                      : pss             ? SignatureScheme::kRsaPss
                                        : SignatureScheme::kRsaPkcs1;
  if (digest_size != hash_size(signing.digest->algo))
    return refuse(PROV_R_INVALID_DIGEST_LENGTH, "not a digest of the hash that is signed");
  const auto made =
      signing.context.signer->sign(*signing.key->parts, scheme, signing.digest->algo, {digest, digest_size});
  if (!made) {
    raise(PROV_R_FAILED_TO_SIGN, made.error());
    return 0;
  }
  if (pss && !has_expected_salt(signing, {digest, digest_size}, *made))
    return refuse(PROV_R_INVALID_SALT_LENGTH,
                  "this TPM makes PSS signatures with another salt than TLS wants: use an ECDSA key");
  if (made->size() > room) return refuse(PROV_R_OUTPUT_BUFFER_TOO_SMALL, "no room for the signature");
  std::memcpy(out, made->data(), made->size());
  *size = made->size();
  return 1;
}

int digest_sign_final(void* context, unsigned char* out, size_t* size, size_t room) {
  Signing& signing = of(context);
  if (out == nullptr) return sign(context, nullptr, size, room, nullptr, 0);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int digest_size = 0;
  if (!signing.hashing || EVP_DigestFinal_ex(signing.hashing.get(), digest, &digest_size) != 1) return 0;
  return sign(context, out, size, room, digest, digest_size);
}

const OSSL_DISPATCH kFunctions[] = {entry(OSSL_FUNC_SIGNATURE_NEWCTX, new_context),
                                    entry(OSSL_FUNC_SIGNATURE_FREECTX, free_context),
                                    entry(OSSL_FUNC_SIGNATURE_DUPCTX, duplicate),
                                    entry(OSSL_FUNC_SIGNATURE_SIGN_INIT, sign_init),
                                    entry(OSSL_FUNC_SIGNATURE_SIGN, sign),
                                    entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, digest_sign_init),
                                    entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE, digest_update),
                                    entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL, digest_sign_final),
                                    entry(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, set_params),
                                    entry(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, settable_params),
                                    entry(OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, get_params),
                                    entry(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, gettable_params),
                                    {0, nullptr}};

}  // namespace

const OSSL_ALGORITHM kSignatures[] = {
    {"ECDSA", "provider=diglim-tpm", kFunctions, nullptr},
    {"RSA:rsaEncryption:1.2.840.113549.1.1.1", "provider=diglim-tpm", kFunctions, nullptr},
    {nullptr, nullptr, nullptr, nullptr}};

}  // namespace diglim::provider
