// SPDX-License-Identifier: Apache-2.0
// OpenPGP signature packets (RFC 9580 section 5.2; v3, v4 and v6) over a binary document, and the rule by
// which one counts.
#pragma once

#include <span>
#include <string>

#include "lib/crypto/signature_policy.h"
#include "lib/openpgp/certificate.h"

namespace diglim::openpgp {

enum class Verdict {
  kGood,        // made by a trusted key that was valid then, and correct
  kBad,         // names a trusted key, and does not verify under it: refuses the whole file
  kUnknownKey,  // no trusted certificate has this key
  kNotCounted,  // weak hash, unsupported algorithm, expired or revoked key, a critical unknown subpacket, ...
};

struct Judgement {
  Verdict verdict = Verdict::kNotCounted;
  // For people, escaped: "RSA/SHA256 24c6a8a7f4a80eb5 CentOS-7 Key (CentOS 7 Official Signing Key)
  // <security@centos.org>".
  std::string signer;
  // Why not, escaped; empty for kGood: "SHA1 signatures are not allowed", "key expired 2020-05-01, before it
  // signed", ...
  std::string reason;
};

// Most signature packets in one call: each of version 6 has a salt, and so costs a hash of the whole message.
constexpr size_t kMaxSignatures = 64;

// Judges every signature packet in `packets` (usually one; old and new packet headers) over `message`. `base`
// is the offset of `packets` in the user's file. kCorrupt if the bytes are not a sequence of well-formed
// signature packets. A signature of an unsupported version or type is kNotCounted, not an error. `message` is
// hashed once an algorithm, and once a signature of version 6; what it hashed is there for the caller.
Result<std::vector<Judgement>> judge_signatures(ByteView packets, uint64_t base, MessageHash& message,
                                                std::span<const Certificate> trusted,
                                                const SignaturePolicy& policy);

}  // namespace diglim::openpgp
