// SPDX-License-Identifier: Apache-2.0
// What a trusted key may sign. That is for the format of a list to say, not for a key: an RPM header needs an
// OpenPGP signature, a compact list an X.509 certificate (lib/digest_list/digest_list.h). There is no other
// restriction by key, so each may sign lists of any file.
#pragma once

#include <openssl/x509.h>

#include <string>
#include <vector>

#include "lib/openpgp/certificate.h"

namespace diglim::key {

struct Use {
  std::string what;  // for people: "packages of rpm", "compact lists"
  std::string with;  // which of its keys: "24c6a8a7f4a80eb5 (RSA, 4096 bits)"
  uint64_t until =
      0;  // only what was signed before that, seconds since 1970: expired or retired then; 0: all
};

// One for each of its keys that may sign, or might. None: nothing that it signed counts.
std::vector<Use> uses_of(const openpgp::Certificate& certificate);
std::vector<Use> uses_of(const X509& certificate);

}  // namespace diglim::key
