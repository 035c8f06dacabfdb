// SPDX-License-Identifier: Apache-2.0
// Public-key algorithms (RFC 9580 section 9.1): which are implemented, and what people call them.
#pragma once

#include <string>

#include "lib/base/bytes.h"

namespace diglim::openpgp {

constexpr uint8_t kRsa = 1;
constexpr uint8_t kRsaEncrypt = 2;
constexpr uint8_t kRsaSign = 3;
constexpr uint8_t kDsa = 17;
constexpr uint8_t kEcdsa = 19;
constexpr uint8_t kEddsaLegacy = 22;
constexpr uint8_t kEd25519 = 27;

// "RSA", "Ed25519", ..., or "public-key algorithm 99".
std::string algorithm_name(uint8_t algorithm);

// Can a signature of this algorithm be verified here?
constexpr bool is_verifiable(uint8_t algorithm) {
  return algorithm == kRsa || algorithm == kRsaSign || algorithm == kEcdsa || algorithm == kEddsaLegacy ||
         algorithm == kEd25519;
}

}  // namespace diglim::openpgp
