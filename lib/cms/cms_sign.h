// SPDX-License-Identifier: Apache-2.0
// Making what verify_cms() accepts.
#pragma once

#include <string>

#include "lib/base/bytes.h"
#include "lib/cms/signing_key.h"

namespace diglim {

// Signs with a private key (see SigningKey::load()) and its certificate (PEM, the first one, or DER),
// SHA-256, detached, no signed attributes, no certificates inside: what the kernel's own sign-file makes.
// Ed25519 keys, which OpenSSL 3.0 refuses in CMS, sign as RFC 8419 says. The result is DER. Errors name the
// key or file: as SigningKey::load(); kUnsupported (a certificate whose signatures would not count), kInvalid
// (the key does not belong to the certificate).
Result<Bytes> sign_cms(ByteView content, const std::string& key_name, const std::string& certificate_file,
                       const Passphrase& passphrase = {});

}  // namespace diglim
