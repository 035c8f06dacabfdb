// SPDX-License-Identifier: Apache-2.0
#include "lib/trust/signed_text.h"

#include "lib/cms/appended_signature.h"
#include "lib/cms/cms.h"

namespace diglim {

Result<SignedText> verify_signed_text(ByteView file, const TrustStore& trust, std::string_view what) {
  TRY_ASSIGN(const AppendedSignature appended, split_appended_signature(file));
  if (appended.type != SignatureType::kPkcs7)
    return unsupported(std::string(what) + " needs a CMS signature");
  SignedText text{appended.content, ""};
  MessageHash message(text.content);
  TRY_ASSIGN(text.signer, verify_cms(appended.signature, appended.signature_offset, message, trust.x509(),
                                     trust.policy()));
  return text;
}

}  // namespace diglim
