// SPDX-License-Identifier: Apache-2.0
// Trusted keys as people see them, and what hangs on them.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/trust/trust_store.h"
#include "tools/diglim/key/uses.h"

namespace diglim::key {

// One certificate of a file of keys.
struct KeyInfo {
  std::string kind;              // "openpgp", "x509"
  std::string fingerprint;       // hexadecimal; of X.509 the SHA-256 of the DER
  std::string who;               // user ID or subject, escaped
  uint64_t created = 0;          // seconds since 1970; 0: unknown
  uint64_t expires = 0;          // 0: never
  std::string unusable;          // why its signatures do not count; empty: they do
  std::vector<std::string> ids;  // of its key and subkeys, as packages name them: 16 hexadecimal digits each
  std::vector<Use> uses = {};    // what it may sign; none if unusable
};

// Do people mean this key by that text: its fingerprint, or the id of one of its keys? Small letters.
bool is_named(const KeyInfo& key, std::string_view text);

KeyInfo info_of(const openpgp::Certificate& certificate);

// All in the file's content. Errors: as TrustStore::check_file().
Result<std::vector<KeyInfo>> read_keys(ByteView file);

// What would no longer be known if only `after` were trusted, not `before`.
struct Loss {
  std::vector<std::string> lists;  // file names
  bool boots = true;               // whether `vital` files are known as before
  std::string first_vital;         // one that would be denied
};
// `folder`: of lists. `vital`: digests (sha256) and paths of files without which no machine comes up.
// `on_list(name)` is called before each. Without the folder nothing is lost.
// Errors: kIo.
Result<Loss> what_is_lost(const std::string& folder, const TrustStore& before, const TrustStore& after,
                          const std::vector<std::pair<Bytes, std::string>>& vital,
                          const std::function<void(std::string_view)>& on_list);

}  // namespace diglim::key
