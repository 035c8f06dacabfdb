// SPDX-License-Identifier: Apache-2.0
// How this project holds OpenSSL: no configuration file, no provider loaded at run time (but for keys that
// sign and lie on a token or in a TPM: lib/cms/signing_key.h), errors as Error, objects with owners. What one
// source alone uses has its owner there.
#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include <string_view>

#include "lib/base/error.h"
#include "lib/base/owned.h"

namespace diglim {

// Idempotent and cheap. Must run before any other OpenSSL call of the process: without
// OPENSSL_INIT_NO_LOAD_CONFIG the library opens openssl.cnf, which a root attacker could point at a provider
// of his own. Everything in lib/crypto and lib/cms calls it first.
void init_openssl();

// kInvalid: "what: reason of OpenSSL's newest queued error". Clears the queue, so that it never grows, but
// not what lies before a mark of the caller's (ERR_set_mark()).
Error openssl_error(std::string_view what);

using BignumPtr = Owned<BIGNUM, BN_free>;
using BioPtr = Owned<BIO, BIO_free>;
using EcdsaSigPtr = Owned<ECDSA_SIG, ECDSA_SIG_free>;
using MdContextPtr = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;
using PkeyContextPtr = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using PkeyPtr = Owned<EVP_PKEY, EVP_PKEY_free>;

// Memory that OpenSSL allocated. OPENSSL_free() is a macro.
inline void free_openssl(void* memory) {
  OPENSSL_free(memory);
}
template <typename T>
using OpensslPtr = Owned<T, free_openssl>;

}  // namespace diglim
