// SPDX-License-Identifier: Apache-2.0
// Why a file would be denied, as far as files tell: its content is on no list that counts. Pure: what is
// known of the system comes in, a cause goes out.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/crypto/hash.h"

namespace diglim {
class TrustStore;
}

namespace diglim::known {

enum class Cause : uint8_t {
  kNone,           // a list that counts has it
  kChanged,        // a package ships this path with other content
  kConfigChanged,  // the same, of a file that its package marks as configuration
  kUnsigned,       // the package that ships this content has no signature
  kUntrusted,      // no trusted key signed it
  kDamaged,        // its header in the rpm database, or its list, is damaged
  kAlgorithm,      // its digests are of another algorithm than the kernel's
  kNoList,         // it would count, but its list is not in /etc/digest_lists
  kForeign,        // no package ships it, and no list has it
  kFileSystem,     // it lies where content can change unseen
  kTooLarge,       // its digest is never known
  kUnreadable,     // nobody knows: it could not be read
  kRevoked,        // a deny list speaks against the content, or its package
};
constexpr size_t kCauses = 13;

struct CauseWords {
  std::string_view id;     // for scripts: "config-changed"
  std::string_view title;  // completes "N files: "
  std::string_view next;   // what to do about it, one line; empty for kNone
};
const CauseWords& cause_words(Cause cause);

// Does an installed package count? kNone, kUnsigned, kUntrusted, kDamaged, kAlgorithm or kNoList.
struct PackageStanding {
  std::string nvra;
  Cause cause = Cause::kNone;
  std::string why;         // the verifier's words, for kUntrusted and kDamaged
  uint64_t installed = 0;  // when: seconds since 1970; 0: not known
};

// What a package says of a path.
struct Shipped {
  uint32_t package = 0;          // index into System::packages
  std::optional<HashAlgo> algo;  // nothing: unknown
  std::string digest;            // raw; empty: the package has none for it
  bool is_config = false;
  uint64_t size = 0;  // of the file, in bytes
};

// All that was read of one system. Digests are raw bytes.
struct System {
  std::shared_ptr<const TrustStore> trust;
  HashAlgo algo = HashAlgo::kSha256;
  std::vector<std::string> sources;                   // lists and packages that count, by name
  std::unordered_map<std::string, uint32_t> digests;  // of lists that count -> index into sources
  std::vector<PackageStanding> packages;
  std::vector<std::string> rpm_keys;                 // of rpm's keyring, by name: "gpg-pubkey-..."
  std::unordered_map<std::string, Shipped> shipped;  // by path, without links in its directories
  std::unordered_map<std::string, uint32_t> of_bad;  // digests of packages that do not count -> the package
  bool has_database = false;                         // else nothing is said of packages
  std::vector<std::string> notes;                    // what was assumed or could not be read, printable
};

struct Verdict {
  Cause cause = Cause::kNone;
  std::optional<uint32_t> package;  // that it is about
  std::optional<uint32_t> source;   // kNone: which list has it
  std::string why = {};             // kRevoked, of a content: since when, because of what
};

// `path` as the system has it, unescaped. `digest` is of System::algo.
Verdict judge(const System& system, const std::string& path, ByteView digest);

}  // namespace diglim::known
