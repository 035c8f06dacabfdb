// SPDX-License-Identifier: Apache-2.0
// The folder of trusted keys as it is, and as it would be.
#pragma once

#include <string>
#include <vector>

#include "tools/diglim/key/sources.h"

namespace diglim::key {

// Those that hold keys; what else lies there is left out. Errors: of the folder.
Result<std::vector<KeyFile>> trusted_files(const Places& places);

// For `file` in that folder. Another file of that name with other keys is in the way (kInvalid); with the
// same keys both stay, since an old copy must not undo what a newer one says. kInvalid: a name that the
// loader passes over.
Result<std::string> name_for(const Places& places, const KeyFile& file);

// Of the file that only takes a key back (key/revocation.h).
std::string revocation_name(const std::string& fingerprint);
bool is_revocation_name(const std::string& name);

bool share_a_key(const std::vector<KeyFile>& files, const KeyFile& file);
bool has_all(const std::vector<KeyFile>& files, const KeyFile& file);
// One of them is the same, byte by byte.
bool has_content(const std::vector<KeyFile>& files, const KeyFile& file);
bool is_useless(const KeyFile& file);  // none of its keys counts

struct Change {
  std::vector<std::string> gone;  // names
  std::string name;               // of a new file; empty: none
  Bytes content;
};
// What would no longer be known after that: what_is_lost() of the lists of this system.
Result<Loss> find_loss(const Places& places, const Change& change);

}  // namespace diglim::key
