// SPDX-License-Identifier: Apache-2.0
// A deny list: what counts no more, although a trusted key signed it. This is its text, without the signature
// (FORMAT.md; lib/digest_list/signed_deny_list.h verifies).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/crypto/hash.h"

namespace diglim {

struct DenyEntry {
  enum class Kind {
    kDigest,   // a content, whatever list has it
    kPackage,  // packages of a name below an EVR
    kKey,      // what a key signed, ever or in a time
  };
  Kind kind = Kind::kDigest;
  HashAlgo algo = HashAlgo::kSha256;  // kDigest
  Bytes digest;
  std::string package;      // kPackage: its name
  std::string below;        // "[epoch:]version[-release]"
  std::string fingerprint;  // kKey: "openpgp:HEX" of a key or subkey, "x509:HEX" (as TrustedKey)
  uint64_t from = 0;        // kKey, seconds since 1970: signatures made from then on ...
  uint64_t to = 0;     // ... and before that; 0: ever made. Never of X.509, whose signatures need no time
  uint64_t since = 0;  // seconds since 1970, for people
  std::string reason;  // for people: 1 to 500 bytes without control characters
  bool operator==(const DenyEntry&) const = default;
};

struct DenyList {
  std::string name;  // whose it is: of two lists of one name that of the higher serial counts
  uint64_t serial = 0;
  std::vector<DenyEntry> denials;
  bool operator==(const DenyList&) const = default;
};

constexpr size_t kMaxDenyListBytes = 1u << 20;
constexpr size_t kMaxDenialReason = 500;

// REQUIRES, for trust only: a trusted signature over `content` was verified. Strict: exactly what
// write_deny_list() makes. kCorrupt with the offset, kUnsupported for another version.
Result<DenyList> read_deny_list(ByteView content);

// kInvalid for what the format cannot say.
Result<Bytes> write_deny_list(const DenyList& list);

// "packages openssl below 3.0.11-1": what it denies, escaped, for people.
std::string describe_denial(const DenyEntry& denial);

// "revoked since 2026-11-26, because REASON (packages openssl below 3.0.11-1)"
std::string revoked_text(const DenyEntry& denial);

}  // namespace diglim
