// SPDX-License-Identifier: Apache-2.0
// A deny list of this host, and the next one of its name.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/trust/trust_store.h"

namespace diglim::revoke {

// Is it what people mean by that word: a digest with or without its algorithm, a name of packages, a
// fingerprint with or without its kind?
bool is_named(const DenyEntry& denial, std::string_view word);

// Do they speak of the same thing, whatever they say of it? Of one package the EVR may differ.
bool same_target(const DenyEntry& a, const DenyEntry& b);

struct InForce {
  std::string name;
  uint64_t serial = 0;
};
// The deny lists in what `diglim-loader status --json` printed. kCorrupt: it does not say.
Result<std::vector<InForce>> lists_of_status(const std::string& status);
// Those of which `files` has none, or an older one.
std::vector<InForce> without_file(std::vector<InForce> in_force, const std::vector<SignedDenyList>& files);

// The serial of the deny list `name` in what `diglim-loader status --json` printed; 0: it is not in force.
// kCorrupt: it does not say.
Result<uint64_t> serial_of_status(const std::string& status, std::string_view name);

// Whoever extends a list that is older than the one in force takes back what that one added. kInvalid.
Result<void> check_newest(const DenyList& list, uint64_t in_force);

// With a higher serial than `list` and `in_force`, and `added` in it, each in place of what was said of the
// same before. Errors: kInvalid as write_deny_list().
Result<DenyList> next_list(DenyList list, uint64_t in_force, std::vector<DenyEntry> added);
// Without what `words` name. kNotFound: one of them names nothing.
Result<DenyList> list_without(DenyList list, uint64_t in_force, const std::vector<std::string>& words);

// "sha256:HEX", or HEX alone, whose length says which algorithm. kInvalid.
Result<DenyEntry> denial_of_digest(std::string_view text);

// Of a trusted key: its fingerprint, with its kind or without, or the end of it, from 16 digits on.
// kNotFound, unless `any` and it has its kind: a key that is not trusted yet, or no more; kInvalid: several.
Result<std::string> find_fingerprint(const TrustStore& trust, std::string text, bool any = false);

}  // namespace diglim::revoke
