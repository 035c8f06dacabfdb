// SPDX-License-Identifier: Apache-2.0
#include "lib/cms/signing_key.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <openssl/store.h>
#include <openssl/ui.h>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/crypto/hash.h"

// Before OpenSSL 4 tokens are reached by an engine where there is no provider (Debian 12).
#ifndef OPENSSL_NO_ENGINE
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#include <openssl/engine.h>
#endif

namespace diglim {
namespace {

constexpr size_t kMaxKeyBytes = 64u << 10;
constexpr std::string_view kTokenScheme = "pkcs11:";
constexpr std::string_view kTpmScheme = "handle:";
constexpr std::string_view kTpmPem = "-----BEGIN TSS2 PRIVATE KEY-----";

using Context = Owned<OSSL_LIB_CTX, OSSL_LIB_CTX_free>;
using StorePtr = Owned<OSSL_STORE_CTX, OSSL_STORE_close>;
using StoreInfoPtr = Owned<OSSL_STORE_INFO, OSSL_STORE_INFO_free>;
using UiMethodPtr = Owned<UI_METHOD, UI_destroy_method>;

// A key in memory, wiped when it is no longer needed.
struct SecretBytes {
  explicit SecretBytes(Bytes content) : bytes(std::move(content)) {}
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
  Bytes bytes;
};

struct Question {
  const Passphrase& ask;
  bool asked = false;
};

int give_passphrase(char* buffer, int size, int, void* data) {
  Question& question = *static_cast<Question*>(data);
  // A token that is asked again with a wrong PIN locks itself.
  auto answer = question.ask && !question.asked ? question.ask() : std::nullopt;
  question.asked = true;
  if (!answer || answer->size() > static_cast<size_t>(size)) return -1;
  const size_t length = answer->copy(buffer, static_cast<size_t>(size));
  OPENSSL_cleanse(answer->data(), answer->size());
  return static_cast<int>(length);
}

Error refused(const Question& question, std::string_view otherwise) {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  std::string because = reason != nullptr ? std::string(" (OpenSSL: ") + reason + ")" : "";
  ERR_clear_error();
  if (question.asked && question.ask) return invalid("no pass phrase, or a wrong one");
  if (question.asked)
    return unsupported("an encrypted key; decrypt it first (openssl pkey -in ... -out ...)");
  return invalid(std::string(otherwise) + because);
}

Result<PkeyPtr> read_pem(ByteView content, const Passphrase& passphrase) {
  const BioPtr bio(BIO_new_mem_buf(content.data(), static_cast<int>(content.size())));
  Question question{passphrase};
  PkeyPtr key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, give_passphrase, &question) : nullptr);
  if (!key) return refused(question, "no private key in PEM that OpenSSL can read");
  return key;
}

// The first private key of a store.
Result<PkeyPtr> read_store(const StorePtr& store, const Question& question, std::string_view otherwise) {
  while (store && OSSL_STORE_eof(store.get()) == 0) {
    const StoreInfoPtr info(OSSL_STORE_load(store.get()));
    if (!info && OSSL_STORE_error(store.get()) != 0) break;
    if (info && OSSL_STORE_INFO_get_type(info.get()) == OSSL_STORE_INFO_PKEY)
      return PkeyPtr(OSSL_STORE_INFO_get1_PKEY(info.get()));
  }
  return refused(question, otherwise);
}

// Nothing: OpenSSL has no such module, or the module fails.
Context context_with(const char* provider) {
  Context context(OSSL_LIB_CTX_new());
  // Freed with the context. Without "default" there would be no SHA-256.
  const bool loaded = context && OSSL_PROVIDER_load(context.get(), "default") != nullptr &&
                      OSSL_PROVIDER_load(context.get(), provider) != nullptr;
  ERR_clear_error();
  return loaded ? std::move(context) : Context();
}

#ifndef OPENSSL_NO_ENGINE
std::shared_ptr<void> token_engine() {
  (void)OPENSSL_init_crypto(OPENSSL_INIT_ENGINE_DYNAMIC | OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  ENGINE* engine = ENGINE_by_id("pkcs11");
  const bool works = engine != nullptr && ENGINE_init(engine) == 1;
  if (engine != nullptr) ENGINE_free(engine);  // what is left is of ENGINE_init()
  ERR_clear_error();
  if (!works) return nullptr;
  return {engine, [](void* used) { ENGINE_finish(static_cast<ENGINE*>(used)); }};
}

PkeyPtr engine_key(void* engine, const std::string& name, UI_METHOD* ask, Question& question) {
  return PkeyPtr(ENGINE_load_private_key(static_cast<ENGINE*>(engine), name.c_str(), ask, &question));
}
#else
std::shared_ptr<void> token_engine() {
  return nullptr;
}
PkeyPtr engine_key(void*, const std::string&, UI_METHOD*, Question&) {
  return nullptr;
}
#endif

}  // namespace

Result<SigningKey> SigningKey::load(const std::string& name, const Passphrase& passphrase) {
  init_openssl();
  SigningKey result;
  Question question{passphrase};
  const UiMethodPtr ask(UI_UTIL_wrap_read_pem_callback(give_passphrase, 0));
  if (!ask) return openssl_error("key");
  const auto open_store = [&](const char* prefer) {
    return StorePtr(OSSL_STORE_open_ex(name.c_str(), result.context_.get(), prefer, ask.get(), &question,
                                       nullptr, nullptr, nullptr));
  };
  if (name.starts_with(kTokenScheme)) {
    constexpr std::string_view kNone = "the token has no such key, or is not there";
    if ((result.context_ = context_with("pkcs11"))) {
      result.provider_ = "?provider=pkcs11";
      TRY_ASSIGN(result.key_, read_store(open_store(result.provider_), question, kNone));
      return result;
    }
    result.engine_ = token_engine();
    if (!result.engine_)
      return unsupported(
          "OpenSSL cannot use tokens here: install pkcs11-provider, or on Debian 12 "
          "libengine-pkcs11-openssl");
    result.key_ = engine_key(result.engine_.get(), name, ask.get(), question);
    if (!result.key_) return refused(question, kNone);
    return result;
  }
  const bool is_handle = name.starts_with(kTpmScheme);
  TRY_ASSIGN(Bytes content, is_handle ? Result<Bytes>(Bytes()) : read_file(name, kMaxKeyBytes));
  const SecretBytes secret(std::move(content));
  if (!is_handle && as_text(secret.bytes).find(kTpmPem) == std::string_view::npos) {
    TRY_ASSIGN(result.key_, read_pem(secret.bytes, passphrase));
    return result;
  }
  result.provider_ = "?provider=tpm2";
  if (!(result.context_ = context_with("tpm2")))
    return unsupported("OpenSSL cannot use the TPM here: install tpm2-openssl, and see that the TPM answers");
  if (is_handle) {
    TRY_ASSIGN(result.key_, read_store(open_store(result.provider_), question,
                                       "the TPM has no such key, or does not answer"));
    return result;
  }
  const BioPtr bio(BIO_new_mem_buf(secret.bytes.data(), static_cast<int>(secret.bytes.size())));
  const StorePtr store(bio ? OSSL_STORE_attach(bio.get(), "file", result.context_.get(), result.provider_,
                                               ask.get(), &question, nullptr, nullptr, nullptr)
                           : nullptr);
  TRY_ASSIGN(result.key_, read_store(store, question, "the TPM does not take it: another TPM's, or damaged"));
  return result;
}

Result<Bytes> SigningKey::sign(ByteView content) const {
  size_t size = 0;
  if (EVP_PKEY_is_a(key_.get(), "ED25519") == 1) {
    const MdContextPtr context(EVP_MD_CTX_new());
    if (!context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) != 1 ||
        EVP_DigestSign(context.get(), nullptr, &size, content.data(), content.size()) != 1)
      return openssl_error("sign");
    Bytes signature(size);
    if (EVP_DigestSign(context.get(), signature.data(), &size, content.data(), content.size()) != 1)
      return openssl_error("sign");
    signature.resize(size);
    return signature;
  }
  // Hashed here: a list has up to 255 MiB, which would all go to the token or the TPM.
  TRY_ASSIGN(const Bytes digest, hash(HashAlgo::kSha256, {content}));
  const PkeyContextPtr context(EVP_PKEY_CTX_new_from_pkey(context_.get(), key_.get(), provider_));
  if (!context || EVP_PKEY_sign_init(context.get()) != 1 ||
      (EVP_PKEY_is_a(key_.get(), "RSA") == 1 &&
       EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) != 1) ||
      EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) != 1 ||
      EVP_PKEY_sign(context.get(), nullptr, &size, digest.data(), digest.size()) != 1)
    return openssl_error("sign");
  Bytes signature(size);
  if (EVP_PKEY_sign(context.get(), signature.data(), &size, digest.data(), digest.size()) != 1)
    return openssl_error("sign");
  signature.resize(size);
  return signature;
}

}  // namespace diglim
