// SPDX-License-Identifier: Apache-2.0
// Where a host has keys: DIGLIM's own folder, rpm's keyring, the repositories of dnf.
#pragma once

#include <string>
#include <vector>

#include "lib/base/bytes.h"
#include "tools/diglim/key/keys.h"

namespace diglim::key {

// `root` without a slash at its end; "" is this system. `dbpath` may be empty.
struct Places {
  std::string root;
  std::string dbpath;
};

// Largest file of keys that is read.
constexpr size_t kMaxKeyBytes = 1u << 20;

// A file of keys, or one of rpm's keyring.
struct KeyFile {
  std::string name;    // for a file of it: "RPM-GPG-KEY-x", "gpg-pubkey-350d275d-6279464b.asc"
  std::string origin;  // for people: a path, "rpm gpg-pubkey-...", "PATH of repository NAME"
  Bytes content;
  std::vector<KeyInfo> keys;
};
// kUnsupported, kCorrupt: `content` is no file of keys.
Result<KeyFile> key_file(std::string name, std::string origin, Bytes content);

struct Found {
  std::vector<KeyFile> files;
  // Of a repository: keys that are on the net, which dnf fetches itself ("https://...").
  std::vector<std::string> urls;
  // Of a repository: files that cannot be read or are no keys, each with the reason, printable.
  std::vector<std::string> unread;
};

// What rpm trusts; nothing if there is no database. Errors: read_rpm_keys().
Result<Found> keys_of_rpm(const Places& places);

// What dnf's repositories name as gpgkey: of all of them, or of the one with this id ("[id]"). `known`: is
// there such a repository?
Found keys_of_repositories(const Places& places, const std::string& id, bool& known);

// The two above, rpm's first.
Result<Found> keys_of_others(const Places& places);

// The one named by a fingerprint, a key id, or rpm's name (gpg-pubkey-...). Errors: kNotFound; kInvalid:
// several keys have that id.
Result<KeyFile> find_key(const std::vector<KeyFile>& files, const std::string& text);

// Is it such a name, known or not: 8 hexadecimal digits or more, or gpg-pubkey-...?
bool names_a_key(const std::string& text);

// As fingerprints are compared: gpg prints capitals, people copy blanks and "0x".
std::string fingerprint_of(std::string_view text);

}  // namespace diglim::key
