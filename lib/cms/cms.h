// SPDX-License-Identifier: Apache-2.0
// Detached CMS signatures (RFC 5652 SignedData) under trusted X.509 certificates. OpenSSL parses and verifies.
#pragma once

#include <span>
#include <string>

#include "lib/trust/trust_store.h"

namespace diglim {

// The signer, for people: "CMS RSA/SHA256 CN=Developer". A signer counts if its certificate (found in `trusted` by
// issuer and serial or subject key identifier; certificates inside the CMS are ignored) allows digital signatures,
// the digest algorithm is allowed by the policy, and the signature is right. The certificate itself is the anchor: no
// chain, no validity dates beyond: a signing time inside the signature must lie in the certificate's validity when
// present; a certificate that expired since does not lock out. One good signer is enough; a bad signature by a
// trusted certificate refuses the whole. Errors: kCorrupt (not CMS; offset), kUntrusted (who, why).
Result<std::string> verify_cms(ByteView cms, uint64_t base, ByteView content, std::span<const X509Ptr> trusted,
                               const SignaturePolicy& policy);

// Signs with an unencrypted PEM private key and its certificate, SHA-256, detached, no signed attributes, no
// certificates inside: what the kernel's own sign-file makes. The result is DER.
Result<Bytes> sign_cms(ByteView content, const std::string& key_file, const std::string& certificate_file);

}  // namespace diglim
