// SPDX-License-Identifier: Apache-2.0
// From PEM to DER to a key, the steps in which OpenSSL reads files, whether a program calls
// PEM_read_bio_PrivateKey() or opens a store ("file:"). A file that is none of ours is passed over in
// silence.
#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/proverr.h>

#include "lib/tpm/key_public.h"
#include "provider/provider.h"

namespace diglim::provider {
namespace {

constexpr int kNotOurs = 1;  // "nothing found" is no error to OpenSSL
constexpr int kFailed = 0;

Context& context_of(void* context) {
  return *static_cast<Context*>(context);
}
void* new_context(void* provider) {
  return provider;
}
void free_context(void* /*context*/) {}

int selects(void* /*provider*/, int selection) {
  return static_cast<int>(selection == 0 || (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0);
}

// Before OpenSSL tries other decoders on the same bytes, whose complaints would hide ours.
bool raised_if_bad(const Context& context, ByteView der) {
  if (context.wrong_setting) {
    raise(ERR_R_PASSED_INVALID_ARGUMENT, *context.wrong_setting);
    return true;
  }
  auto file = read_key_der(der);
  auto parts = file ? read_key_parts(*file) : Result<TpmKeyParts>(file.error());
  if (parts) return false;
  raise(PROV_R_INVALID_KEY, parts.error());
  return true;
}

int decode_pem(void* context, OSSL_CORE_BIO* in, int /*selection*/, OSSL_CALLBACK* callback, void* argument,
               OSSL_PASSPHRASE_CALLBACK* /*password*/, void* /*password_argument*/) {
  const OldErrors kept;
  const BioPtr bio(BIO_new_from_core_bio(context_of(context).libctx.get(), in));
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  (void)ERR_set_mark();
  const bool read = bio && PEM_read_bio(bio.get(), &name, &header, &data, &size) == 1;
  (void)ERR_pop_to_mark();
  const OpensslPtr<char> own_name(name);
  const OpensslPtr<char> own_header(header);
  const OpensslPtr<unsigned char> own_data(data);
  if (!read || std::string_view(name) != kKeyPemName) return kNotOurs;
  if (raised_if_bad(context_of(context), {data, static_cast<size_t>(size)})) return kFailed;
  int object = OSSL_OBJECT_PKEY;
  char structure[] = "TSS2";
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_STRUCTURE, structure, 0),
      OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_DATA, data, static_cast<size_t>(size)),
      OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &object), OSSL_PARAM_construct_end()};
  return callback(params, argument);
}

Bytes read_all(BIO* bio) {
  Bytes all;
  Bytes piece(4096);
  size_t got = 0;
  while (all.size() <= kMaxKeyFileBytes && BIO_read_ex(bio, piece.data(), piece.size(), &got) == 1)
    all.insert(all.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(got));
  return all;
}

struct DropKey {
  void operator()(Key* key) const { key->drop(); }
};

template <const char* kType>
int decode_der(void* provider, OSSL_CORE_BIO* in, int /*selection*/, OSSL_CALLBACK* callback, void* argument,
               OSSL_PASSPHRASE_CALLBACK* /*password*/, void* /*password_argument*/) {
  const OldErrors kept;
  Context& context = context_of(provider);
  const BioPtr bio(BIO_new_from_core_bio(context.libctx.get(), in));
  if (!bio || context.wrong_setting) return kNotOurs;
  const auto file = read_key_der(read_all(bio.get()));
  const auto parts = file ? read_key_parts(*file) : Result<TpmKeyParts>(file.error());
  if (!parts) return kNotOurs;
  if ((parts->public_part.publicArea.type == TPM2_ALG_RSA) != (kType == kRsa)) return kNotOurs;
  std::unique_ptr<Key, DropKey> key(new Key(context));
  auto public_key = openssl_public_key(parts->public_part, context.libctx.get());
  // Now, and not at the first handshake: a server that cannot use its key is not to start.
  const auto taken = public_key ? context.signer->check(*parts) : Result<void>(public_key.error());
  if (!taken) {
    raise(PROV_R_INVALID_KEY, taken.error());
    return kFailed;
  }
  key->public_key = *std::move(public_key);
  key->parts = std::make_unique<TpmKeyParts>(*parts);
  Key* reference = key.release();
  int object = OSSL_OBJECT_PKEY;
  std::string type = kType;
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &object),
                               OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_TYPE, type.data(), 0),
                               OSSL_PARAM_construct_octet_string(
                                   OSSL_OBJECT_PARAM_REFERENCE, static_cast<void*>(&reference), sizeof(Key*)),
                               OSSL_PARAM_construct_end()};
  const int done = callback(params, argument);
  if (reference != nullptr) reference->drop();  // nobody took it
  return done;
}

const OSSL_DISPATCH kPemFunctions[] = {entry(OSSL_FUNC_DECODER_NEWCTX, new_context),
                                       entry(OSSL_FUNC_DECODER_FREECTX, free_context),
                                       entry(OSSL_FUNC_DECODER_DECODE, decode_pem),
                                       {0, nullptr}};
template <const char* kType>
const OSSL_DISPATCH kDerFunctions[] = {entry(OSSL_FUNC_DECODER_NEWCTX, new_context),
                                       entry(OSSL_FUNC_DECODER_FREECTX, free_context),
                                       entry(OSSL_FUNC_DECODER_DOES_SELECTION, selects),
                                       entry(OSSL_FUNC_DECODER_DECODE, decode_der<kType>),
                                       {0, nullptr}};

}  // namespace

const OSSL_ALGORITHM kDecoders[] = {
    {"DER", "provider=diglim-tpm,input=pem", kPemFunctions, nullptr},
    {"EC", "provider=diglim-tpm,input=der,structure=TSS2", kDerFunctions<kEc>, nullptr},
    {"RSA", "provider=diglim-tpm,input=der,structure=TSS2", kDerFunctions<kRsa>, nullptr},
    {nullptr, nullptr, nullptr, nullptr}};

}  // namespace diglim::provider
