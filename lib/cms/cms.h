// SPDX-License-Identifier: Apache-2.0
// Detached CMS signatures (RFC 5652 SignedData) under trusted X.509 certificates. OpenSSL parses and
// verifies. FORMAT.md says what is accepted, and how signed attributes are treated.
#pragma once

#include <span>
#include <string>

#include "lib/crypto/signature_policy.h"
#include "lib/crypto/x509.h"

namespace diglim {

// Largest accepted CMS: a few signers with their certificates are some kilobytes.
constexpr size_t kMaxCmsBytes = 256u << 10;
constexpr int kMaxCmsSigners = 16;

// The signer, for people: "CMS RSA/SHA256 CN=Developer". A signer counts if its certificate (found in
// `trusted` by issuer and serial or subject key identifier; certificates inside the CMS are ignored) is
// usable (x509_unusable()), the digest algorithm is allowed by the policy, and the signature is right. The
// certificate itself is the anchor; there are no chains. If the signature has a signing time, that time must
// lie in the certificate's validity. If the certificate expired since, its signatures still count. One good
// signer is enough; a bad signature by a trusted certificate refuses the whole. Errors: kCorrupt
// (not CMS; `base` is the offset of `cms` in the user's file), kUntrusted (who, why). `content` is hashed
// once an algorithm; what it hashed is there for the caller. Thread-safe, a MessageHash for each thread.
Result<std::string> verify_cms(ByteView cms, uint64_t base, MessageHash& content,
                               std::span<const X509Ptr> trusted, const SignaturePolicy& policy);

}  // namespace diglim
