// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/key/uses.h"

#include "lib/base/text.h"
#include "lib/crypto/public_key.h"
#include "lib/crypto/x509.h"
#include "lib/openpgp/algorithm.h"

namespace diglim::key {
namespace {

std::string material(const std::string& algorithm, const EVP_PKEY* key) {
  return algorithm + ", " + std::to_string(key_bits(key)) + " bits";
}

std::string algorithm_of(const EVP_PKEY* key) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
      return "RSA";
    case EVP_PKEY_EC:
      return "ECDSA";
    default:
      return "Ed25519";
  }
}

}  // namespace

std::vector<Use> uses_of(const openpgp::Certificate& certificate) {
  std::vector<Use> uses;
  const openpgp::Key& primary = certificate.keys.front();
  for (const openpgp::Key& key : certificate.keys) {
    // A subkey is the primary key's word, and void with it.
    if (!key.may_sign || key.revoked_hard || primary.revoked_hard ||
        !openpgp::refusal_of_material(key).empty())
      continue;
    Bytes id;
    put_u32_be(id, static_cast<uint32_t>(key.key_id >> 32));
    put_u32_be(id, static_cast<uint32_t>(key.key_id));
    Use use{"packages of rpm",
            to_hex(id) + " (" + material(openpgp::algorithm_name(key.algorithm), key.public_key.get()) + ")"};
    for (const uint64_t end : {key.expires, primary.expires, key.revoked_soft_at.value_or(0),
                               primary.revoked_soft_at.value_or(0)}) {
      if (end != 0 && (use.until == 0 || end < use.until)) use.until = end;
    }
    uses.push_back(std::move(use));
  }
  return uses;
}

std::vector<Use> uses_of(const X509& certificate) {
  const EVP_PKEY* key = X509_get0_pubkey(&certificate);
  if (key == nullptr || x509_unusable(certificate)) return {};
  return {{"compact lists", material(algorithm_of(key), key)}};
}

}  // namespace diglim::key
