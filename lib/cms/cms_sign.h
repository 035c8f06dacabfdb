// SPDX-License-Identifier: Apache-2.0
// Making what verify_cms() accepts.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "lib/base/bytes.h"

namespace diglim {

// Asks for the pass phrase of a key. Nothing: whoever was asked gave none.
using Passphrase = std::function<std::optional<std::string>()>;

// Signs with a PEM private key and its certificate (PEM, the first one, or DER), SHA-256,
// detached, no signed attributes, no certificates inside: what the kernel's own sign-file makes. Ed25519
// keys, which OpenSSL 3.0 refuses in CMS, sign as RFC 8419 says. The result is DER. Errors name the file:
// kNotFound, kIo, kCorrupt, kUnsupported (an encrypted key without `passphrase`, algorithm, a certificate
// whose signatures would not count), kInvalid (a wrong pass phrase; the key does not belong to the
// certificate). `passphrase` is called once, and only if the key is encrypted.
Result<Bytes> sign_cms(ByteView content, const std::string& key_file, const std::string& certificate_file,
                       const Passphrase& passphrase = {});

}  // namespace diglim
