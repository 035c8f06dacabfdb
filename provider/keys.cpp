// SPDX-License-Identifier: Apache-2.0
// Key management: keys come from the decoders, or are public ones of others, which OpenSSL compares with
// ours. None is made here (diglim tls create-key), and no private part goes out.
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/proverr.h>

#include "provider/provider.h"

namespace diglim::provider {
namespace {

Key& key_of(const void* data) {
  return *const_cast<Key*>(static_cast<const Key*>(data));
}

void* new_key(void* context) {
  return new Key(*static_cast<Context*>(context));
}
void free_key(void* key) {
  if (key != nullptr) key_of(key).drop();
}

void* load(const void* reference, size_t size) {
  if (size != sizeof(Key*)) return nullptr;
  Key** owner = static_cast<Key**>(const_cast<void*>(reference));
  return std::exchange(*owner, nullptr);  // ours to free now
}

int has(const void* key, int selection) {
  const Key& of = key_of(key);
  const bool wants_private = (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0;
  return static_cast<int>(of.public_key && (!wants_private || of.parts));
}

int match(const void* one, const void* other, int /*selection*/) {
  return static_cast<int>(key_of(one).public_key && key_of(other).public_key &&
                          EVP_PKEY_eq(key_of(one).public_key.get(), key_of(other).public_key.get()) == 1);
}

template <const char* kType>
int import(void* key, int selection, const OSSL_PARAM params[]) {
  Key& into = key_of(key);
  if ((selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) == 0 ||
      OSSL_PARAM_locate_const(params, kType == kEc ? OSSL_PKEY_PARAM_PRIV_KEY : OSSL_PKEY_PARAM_RSA_D) !=
          nullptr)
    return 0;
  const PkeyContextPtr making(EVP_PKEY_CTX_new_from_name(into.context.libctx.get(), kType, nullptr));
  EVP_PKEY* made = nullptr;
  if (!making || EVP_PKEY_fromdata_init(making.get()) != 1 ||
      EVP_PKEY_fromdata(making.get(), &made, EVP_PKEY_PUBLIC_KEY, const_cast<OSSL_PARAM*>(params)) != 1)
    return 0;
  into.public_key.reset(made);
  return 1;
}

// Public only: asked for a whole key it says no, and OpenSSL comes to our signatures.
int export_key(void* key, int selection, OSSL_CALLBACK* callback, void* argument) {
  const Key& from = key_of(key);
  if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0 || !from.public_key) return 0;
  OSSL_PARAM* params = nullptr;
  if (EVP_PKEY_todata(from.public_key.get(), EVP_PKEY_PUBLIC_KEY, &params) != 1) return 0;
  const Owned<OSSL_PARAM, OSSL_PARAM_free> owner(params);
  return callback(params, argument);
}

const OSSL_PARAM kEcTypes[] = {OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, nullptr, 0),
                               OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0), OSSL_PARAM_END};
const OSSL_PARAM kRsaTypes[] = {OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, nullptr, 0),
                                OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, nullptr, 0), OSSL_PARAM_END};

template <const char* kType>
const OSSL_PARAM* types(int selection) {
  if ((selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) == 0) return nullptr;
  return kType == kEc ? kEcTypes : kRsaTypes;
}

// What the public key says of itself is what we say.
int get_params(void* key, OSSL_PARAM params[]) {
  return key_of(key).public_key ? EVP_PKEY_get_params(key_of(key).public_key.get(), params) : 0;
}

const OSSL_PARAM kEcAsked[] = {OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, nullptr),
                               OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, nullptr),
                               OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, nullptr),
                               OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, nullptr, 0),
                               OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, nullptr, 0),
                               OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, nullptr, 0),
                               OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0),
                               OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, nullptr, 0),
                               OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_PUB_X, nullptr, 0),
                               OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_PUB_Y, nullptr, 0),
                               OSSL_PARAM_END};
const OSSL_PARAM kRsaAsked[] = {OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, nullptr),
                                OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, nullptr),
                                OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, nullptr),
                                OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, nullptr, 0),
                                OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, nullptr, 0),
                                OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, nullptr, 0),
                                OSSL_PARAM_END};

template <const char* kType>
const OSSL_PARAM* gettable_params(void* /*context*/) {
  return kType == kEc ? kEcAsked : kRsaAsked;
}

template <const char* kType>
const char* operation_name(int operation) {
  if (operation != OSSL_OP_SIGNATURE) return kType;
  return kType == kEc ? "ECDSA" : kRsa;
}

template <const char* kType>
const OSSL_DISPATCH kFunctions[] = {entry(OSSL_FUNC_KEYMGMT_NEW, new_key),
                                    entry(OSSL_FUNC_KEYMGMT_FREE, free_key),
                                    entry(OSSL_FUNC_KEYMGMT_LOAD, load),
                                    entry(OSSL_FUNC_KEYMGMT_HAS, has),
                                    entry(OSSL_FUNC_KEYMGMT_MATCH, match),
                                    entry(OSSL_FUNC_KEYMGMT_IMPORT, import <kType>),
                                    entry(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, types<kType>),
                                    entry(OSSL_FUNC_KEYMGMT_EXPORT, export_key),
                                    entry(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, types<kType>),
                                    entry(OSSL_FUNC_KEYMGMT_GET_PARAMS, get_params),
                                    entry(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, gettable_params<kType>),
                                    entry(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, operation_name<kType>),
                                    {0, nullptr}};

}  // namespace

// The names by which OpenSSL's default provider calls the same kinds.
const OSSL_ALGORITHM kKeyManagement[] = {
    {"EC:id-ecPublicKey:1.2.840.10045.2.1", "provider=diglim-tpm", kFunctions<kEc>, nullptr},
    {"RSA:rsaEncryption:1.2.840.113549.1.1.1", "provider=diglim-tpm", kFunctions<kRsa>, nullptr},
    {nullptr, nullptr, nullptr, nullptr}};

}  // namespace diglim::provider
