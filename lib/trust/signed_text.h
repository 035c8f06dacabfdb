// SPDX-License-Identifier: Apache-2.0
// What our own signed files have in common: deny lists, grants of keys, statements about monitor mode.
#pragma once

#include <string>
#include <string_view>

#include "lib/trust/trust_store.h"

namespace diglim {

// Its own first line says what it is. REQUIRES, of whoever reads `content`: no other kind passes for his.
struct SignedText {
  ByteView content;    // in the file
  std::string signer;  // for people, as DigestList::signer
};

// The signature (CMS, appended as to a compact list: lib/cms/FORMAT.md) by one of the X.509 keys of `trust`;
// nothing of the content was read yet. `what` is for messages: "a deny list". Errors: kUntrusted, kCorrupt
// with the offset, kUnsupported (another kind of signature).
Result<SignedText> verify_signed_text(ByteView file, const TrustStore& trust, std::string_view what);

}  // namespace diglim
