// SPDX-License-Identifier: Apache-2.0
// X.509 certificates as trust anchors: reading them from a file, naming them, and saying whether they may
// sign.
#pragma once

#include <openssl/x509.h>

#include <optional>
#include <string>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/base/owned.h"

namespace diglim {

using X509Ptr = Owned<X509, X509_free>;

constexpr size_t kMaxX509PerFile = 256;

// True if the bytes look like something for read_x509(): the first byte of a DER SEQUENCE, or text with a PEM
// block that is not an OpenPGP one.
bool looks_like_x509(ByteView file);

// PEM with any number of certificates (text between them is passed over), or exactly one certificate in DER.
// Errors: kCorrupt with the offset, also for bytes after the DER and for more than kMaxX509PerFile;
// kUnsupported for PEM blocks of another kind ("a private key does not belong here").
Result<std::vector<X509Ptr>> read_x509(ByteView file);

// "CN=Developer,O=Example", escaped, in the order of the certificate; never empty.
std::string x509_subject(const X509& certificate);
std::string x509_name_text(const X509_NAME& name);
std::string x509_serial(const ASN1_INTEGER& serial);  // lower-case hexadecimal

// Why no signature under this certificate can count, or nothing if one can. The rules, each of which a test
// covers:
// - the key is RSA of at least 2048 bits, ECDSA over a curve of at least 224 bits, or Ed25519;
// - keyUsage, if present, has digitalSignature; extendedKeyUsage, if present, has codeSigning or any;
// - no extension is malformed, and none is both critical and unknown (RFC 5280 section 4.2).
// A CA certificate is no exception: it may sign lists itself if its keyUsage says so (a self-signed one made
// with `openssl req -x509` has no keyUsage), and it vouches for nothing that it issued.
std::optional<std::string> x509_unusable(const X509& certificate);

}  // namespace diglim
