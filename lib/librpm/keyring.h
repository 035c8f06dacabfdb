// SPDX-License-Identifier: Apache-2.0
// The public keys that rpm keeps in its database, as packages called gpg-pubkey.
#pragma once

#include <string>
#include <vector>

#include "lib/base/result.h"

namespace diglim {

struct RpmKey {
  std::string name;   // "gpg-pubkey-350d275d-6279464b"
  std::string armor;  // ASCII-armoured certificate
};

// `database` as find_rpm_database() gives it. The directory has to be writable, as for `rpm -q`. Errors:
// kCorrupt with librpm's words.
Result<std::vector<RpmKey>> read_rpm_keys(const std::string& database);

// The version in which an installed package provides `name`; empty if it says none. Nothing is verified.
// Errors: kNotFound; as above.
Result<std::string> provided_version(const std::string& database, const std::string& name);

}  // namespace diglim
