// SPDX-License-Identifier: Apache-2.0
#include "lib/openpgp/algorithm.h"

namespace diglim::openpgp {

std::string algorithm_name(uint8_t algorithm) {
  switch (algorithm) {
    case kRsa:
    case kRsaEncrypt:
    case kRsaSign:
      return "RSA";
    case 16:
      return "ElGamal";
    case kDsa:
      return "DSA";
    case 18:
      return "ECDH";
    case kEcdsa:
      return "ECDSA";
    case kEddsaLegacy:
      return "EdDSA";
    case 25:
      return "X25519";
    case 26:
      return "X448";
    case kEd25519:
      return "Ed25519";
    case 28:
      return "Ed448";
    default:
      return "public-key algorithm " + std::to_string(algorithm);
  }
}

}  // namespace diglim::openpgp
