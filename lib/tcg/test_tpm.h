// SPDX-License-Identifier: Apache-2.0
// For tests: a TPM made of OpenSSL that signs what it is told.
#pragma once

#include <map>

#include "lib/tcg/quote.h"

namespace diglim {

class TestTpm {
 public:
  TestTpm();  // a new key

  // What it quotes, and how. Change them, then call quote().
  std::vector<unsigned> quoted = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  HashAlgo bank = HashAlgo::kSha256;
  Bytes nonce = Bytes(20, 0x4e);
  uint32_t magic = 0xff544347;
  uint16_t type = 0x8018;            // TPM_ST_ATTEST_QUOTE
  uint32_t attributes = 0;           // of the key; set by the constructor
  uint16_t name_algorithm = 0x000b;  // of the key: TPM_ALG_SHA256

  Bytes ak() const;  // TPM2B_PUBLIC
  // `values`: what the quoted registers hold; one that is missing is left out of the digest.
  SignedQuote quote(const std::map<unsigned, Bytes>& values) const;

 private:
  PkeyPtr key_;
};

// For tests: ends the program with a message, since the test cannot go on.
void must(bool truth, const char* what);
template <typename T>
T must_have(Result<T> result) {
  if (!result) must(false, result.error().message.c_str());
  return *std::move(result);
}

}  // namespace diglim
