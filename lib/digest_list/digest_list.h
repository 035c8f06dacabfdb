// SPDX-License-Identifier: Apache-2.0
// A verified digest list, whatever its format, and the one door through which unverified bytes become one.
#pragma once

#include <map>
#include <string>

#include "lib/base/bytes.h"
#include "lib/crypto/hash.h"
#include "lib/trust/trust_store.h"

namespace diglim {

enum class ListFormat { kRpm, kCompact };
std::string_view format_name(ListFormat format);  // "rpm", "compact"

struct DigestList {
  ListFormat format = ListFormat::kRpm;
  std::string name;    // NEVRA of a package ("hello-2.0-1.x86_64"), unescaped; empty for a compact list
  std::string signer;  // who signed it, for people: "RSA/SHA256 key 24c6a8a7f4a80eb5 (CentOS-7 Key ...)"
  Bytes content_hash;  // SHA-256 of the bytes that were verified; of a package, its head without the payload
  // Digests by algorithm: concatenated, hash_size(algo) bytes each, in the order of the list, duplicates
  // kept. An algorithm without digests has no entry. Zero-length digests (directories, symlinks, ghosts) are
  // not in it.
  std::map<HashAlgo, Bytes> digests;
  size_t undigested = 0;  // files of a package that has no digests at all
  size_t revoked = 0;     // digests that a deny list revokes: they are not in `digests`

  size_t count(HashAlgo algo) const;
  size_t count() const;  // of all algorithms
  // What not_counted_text() says of it.
  std::string not_counted(HashAlgo kernel) const;
};

// Largest file accepted as a digest list. A header is at most 256 MiB by rpm's own rule
// (HEADER_DATA_MAX in lib/header.c); whole packages may be larger, so only their head is read.
constexpr size_t kMaxListBytes = 256u << 20;

// Verifies the signature over the raw bytes, then parses. The format is found from the content, never from
// the name: an RPM package (lead magic ed ab ee db), an RPM header list as rpm_gen writes it (header magic 8e
// ad e8), else a compact list. All or nothing.
//
// Of several signatures (a package may carry any number) one good one by a trusted key is enough, whatever
// the keys of the others; but a bad one by a trusted key refuses the list: somebody changed it, or the key.
// What trust.denials() speaks against does not count: a package is kUntrusted ("revoked since ..."), a digest
// is left out.
// Errors: kCorrupt (offset and reason), kUntrusted (each signature, and why it does not count; "no header
// signature", "no appended signature"), kUnsupported. The result owns its bytes. Thread-safe for one
// TrustStore used by many.
Result<DigestList> verify_digest_list(ByteView file, const TrustStore& trust);

// Reads only as much of the file as the list needs (a package's payload is never read). Opens the file once,
// never blocks on it, and holds no more memory than the file has bytes, whatever it or its size claim. The
// SHA-256 of the result is the list's content_hash. Errors: kNotFound, kIo, kCorrupt (a package's head),
// kUnsupported (not a regular file; more than kMaxListBytes to read).
Result<Bytes> read_digest_list_file(const std::string& path);

// The two above.
Result<DigestList> verify_digest_list_file(const std::string& path, const TrustStore& trust);

}  // namespace diglim
