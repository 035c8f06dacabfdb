// SPDX-License-Identifier: Apache-2.0
// Who signs, as the user names him.
#pragma once

#include <string>

#include "lib/base/bytes.h"
#include "lib/cms/cms_sign.h"

namespace diglim {

struct Signer {
  std::string key;              // empty: $DIGLIM_KEY
  std::string certificate;      // empty: $DIGLIM_CERTIFICATE
  std::string passphrase_file;  // empty: the terminal is asked
};

// With the environment's in place of what is empty. kInvalid: no key is named.
Result<Signer> named_signer(Signer signer);

// Is a key or a certificate named, as an option or in the environment? Half a pair counts: named_signer()
// says what is missing.
bool names_any(const Signer& signer);

// Asks the terminal, or reads the file.
Passphrase passphrase_of(const Signer& signer);

// CMS over `content`. Errors: as named_signer() and sign_cms().
Result<Bytes> sign_with(const Signer& signer, ByteView content);

}  // namespace diglim
