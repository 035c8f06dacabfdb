// SPDX-License-Identifier: Apache-2.0
// Making what verify_cms() accepts.
#pragma once

#include <string>

#include "lib/base/bytes.h"

namespace diglim {

// Signs with an unencrypted PEM private key and its certificate (PEM, the first one, or DER), SHA-256,
// detached, no signed attributes, no certificates inside: what the kernel's own sign-file makes. Ed25519
// keys, which OpenSSL 3.0 refuses in CMS, sign as RFC 8419 says. The result is DER. Errors name the file:
// kNotFound, kIo, kCorrupt, kUnsupported (encrypted key, algorithm, a certificate whose signatures would not
// count), kInvalid (the key does not belong to the certificate).
Result<Bytes> sign_cms(ByteView content, const std::string& key_file, const std::string& certificate_file);

}  // namespace diglim
