// SPDX-License-Identifier: Apache-2.0
// How this project holds OpenSSL: no configuration file, no provider loaded at run time, errors as Error.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string_view>

#include "lib/base/error.h"

namespace diglim {

// Idempotent and cheap. Must run before any other OpenSSL call of the process: without
// OPENSSL_INIT_NO_LOAD_CONFIG the library opens openssl.cnf, which a root attacker could point at a provider
// of his own. Everything in lib/crypto and lib/cms calls it first.
void init_openssl();

// kInvalid: "what: reason of OpenSSL's newest queued error". Clears the queue, so that it never grows.
Error openssl_error(std::string_view what);

struct FreePkey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using PkeyPtr = std::unique_ptr<EVP_PKEY, FreePkey>;

}  // namespace diglim
