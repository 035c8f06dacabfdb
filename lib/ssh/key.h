// SPDX-License-Identifier: Apache-2.0
// Public keys and signatures in SSH's forms: RFC 4253, section 6.6 (RSA), RFC 5656, section 3 (ECDSA), RFC
// 8332 (RSA with SHA-2). ECDSA on P-256 and P-384, and RSA; never with SHA-1.
#pragma once

#include <string>
#include <string_view>

#include "lib/crypto/hash.h"
#include "lib/crypto/openssl.h"

namespace diglim {

struct SshKey {
  std::string type;  // "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ssh-rsa"
  Bytes blob;        // by which SSH knows it
};

// kUnsupported: a key of another kind.
Result<SshKey> ssh_key(EVP_PKEY* key);

// "TYPE BASE64 COMMENT", as authorized_keys and HostKey have it; without a line's end. `comment` may be
// empty. REQUIRES: no line's end in it.
std::string ssh_key_line(const SshKey& key, std::string_view comment);
// "SHA256:..." as ssh-keygen -l shows it.
Result<std::string> ssh_fingerprint(const SshKey& key);

struct SshScheme {
  std::string name;  // of the signature: "rsa-sha2-256"
  HashAlgo hash = HashAlgo::kSha256;
};

// Flags of a request to an agent for an RSA key.
constexpr uint32_t kSshRsaSha256 = 2;
constexpr uint32_t kSshRsaSha512 = 4;

// What a key of this type is asked for. kUnsupported: RSA with SHA-1, which is what no flag means; flags that
// are unknown, or not for this type.
Result<SshScheme> ssh_scheme(std::string_view type, uint32_t flags);

// From OpenSSL's form: DER for ECDSA, the number itself for RSA. kCorrupt: it is none.
Result<Bytes> ssh_signature(const SshScheme& scheme, ByteView openssl_signature);

}  // namespace diglim
