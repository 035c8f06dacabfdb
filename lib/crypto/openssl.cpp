// SPDX-License-Identifier: Apache-2.0
#include "lib/crypto/openssl.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

namespace diglim {

void init_openssl() {
  static const int done = OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  (void)done;  // fails only when memory is gone; the calls that follow then fail too
}

Error openssl_error(std::string_view what) {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  Error error = invalid(std::string(what) + ": " + (reason != nullptr ? reason : "no reason given"));
  if (ERR_pop_to_mark() == 1) (void)ERR_set_mark();
  return error;
}

}  // namespace diglim
