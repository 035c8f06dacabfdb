// SPDX-License-Identifier: Apache-2.0
// Statements in /etc/diglim/granted: keys that count at once, since a trusted key granted them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/diglim/key/sources.h"
#include "tools/signer.h"

namespace diglim::key {

// The file of a statement about these keys. Errors: as sign_with().
Result<Bytes> sign_grant(const Signer& signer, ByteView keys);

// The keys in it, whoever signed it. Errors: it is no statement.
Result<Bytes> keys_in_grant(ByteView file);

// Of the file that grants the keys in the file of this name.
std::string grant_name(std::string_view key_file);

// What lies in the folder of statements. Nothing without the folder; what is no statement is left out.
std::vector<KeyFile> grant_files(const Places& places);

// What the running loader says of its granted keys: "openpgp:HEX" or "x509:HEX", and who granted.
struct GrantedKey {
  std::string fingerprint;
  std::string signer;
};
std::vector<GrantedKey> granted_of_status(std::string_view json);
// Does it have each of the keys in this file, since the boot or granted?
bool has_keys(std::string_view json, ByteView keys);

// Why the statement does not count for a system with these keys and deny lists, if so; who signed it, if not.
Result<std::string> check_grant(const Places& places, ByteView file);

}  // namespace diglim::key
