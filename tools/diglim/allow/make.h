// SPDX-License-Identifier: Apache-2.0
// Makes and signs the list of an exception.
#pragma once

#include <string>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/trust/trust_store.h"
#include "tools/diglim/allow/store.h"

namespace diglim::allow {

struct MakeOptions {
  std::vector<std::string> files;
  std::vector<std::string> build;  // directories: what is executable in them
  Bytes only;                      // not empty: the one content that may be on the list
  std::string reason;
  std::string owner;
  std::string key;              // see SigningKey::load(); empty: $DIGLIM_KEY
  std::string certificate;      // empty: $DIGLIM_CERTIFICATE
  std::string passphrase_file;  // see tools/passphrase.h
  bool progress = false;
};

// The signed list; fills all of `exception` but its times. Errors: no key is named, the key or a file cannot
// be read, or `trust` would not take the list: then it says how to trust the key.
Result<Bytes> make_exception(const MakeOptions& options, const TrustStore& trust, Exception& exception);

}  // namespace diglim::allow
