// SPDX-License-Identifier: Apache-2.0
// What is kept of a sealed secret, and the authorizations that keep it openable across updates. JSON files;
// FORMAT.md.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/tcg/pcr.h"
#include "lib/tpm/counter.h"

namespace diglim {

// Either the values of the registers, or a key that approves of values.
struct SealPolicy {
  PcrSelection selection;
  std::map<unsigned, Bytes> values;  // used if authorize_key is empty
  std::string authorize_key;         // PEM, public: RSA or ECDSA P-256
};

struct SealedObject {
  SealPolicy policy;
  Bytes public_part;   // TPM2B_PUBLIC
  Bytes private_part;  // TPM2B_PRIVATE
};

// "These values are good", signed by the key that the secret was sealed under.
struct Authorization {
  PcrSelection selection;
  std::map<unsigned, Bytes> values;
  Bytes signature;  // DER (ECDSA) or PKCS#1 v1.5, SHA-256, over what TPM2_PolicyAuthorize wants
  std::optional<CounterLimit> limit = {};  // none: for ever
};

std::string write_sealed(const SealedObject& object);
Result<SealedObject> read_sealed(std::string_view json);
std::string write_authorization(const Authorization& authorization);
Result<Authorization> read_authorization(std::string_view json);

}  // namespace diglim
