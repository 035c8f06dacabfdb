// SPDX-License-Identifier: Apache-2.0
// What a boot trusts, gathered from a folder: the initramfs that the loader boots, or the system of which
// somebody foretells or checks what its loader will do. There is no other copy of these rules. `root` is that
// folder without a slash at its end; "" is the running system. Nothing is printed.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "lib/generation/generation.h"
#include "lib/manifest/manifest.h"
#include "lib/trust/trust_store.h"
#include "policy/config.h"

namespace diglim {

// kConfigFile; the defaults if there is no such file. Errors begin with the path: kInvalid (parse_config()),
// kIo, kUnsupported (no regular file, or one of more than 64 KiB).
Result<Config> read_config_file(const std::string& root);

// That file, and `command_line` (policy/command_line.h), which wins. On an error `config` is what of both is
// right: if the command line says permissive, it does, so that a bad file locks nobody out. Of two errors the
// command line's is given.
Result<void> read_config(const std::string& root, std::string_view command_line, Config& config);

// The keys in kKeysFolder, less what the deny lists in kRevokedFolder take back. Deny lists that do not count
// are added to `left_out`, each with its path, if it is not null. Errors begin with the path: as
// TrustStore::from_folder() and read_deny_lists().
Result<TrustStore> read_keys(const std::string& root, const Config& config,
                             std::vector<Error>* left_out = nullptr);

// Has a generation follow trust.denials(), which changed: they are kept in it, their digests and packages go,
// and so does each list that a key may have signed of which a deny list says something. What of these lists
// still counts comes back when they are read again, as follow_folders() does.
void apply_denials(Generation& generation, const TrustStore& trust);

// The same, and what of this system's own lists, in `folder`, still counts is back: for whoever does not read
// that folder anyway. Without it a deny list that is first seen on behalf of another directory would withdraw
// whatever else its key signed. Lists that do not count are given as by add_lists(). Errors: kIo.
Result<std::vector<Error>> apply_denials_and_keep(Generation& generation, const TrustStore& trust,
                                                  const std::string& folder);

// Has generation and `trust` follow the statements in `folder` (read_grants()). What the keys signed that are
// granted no more goes; what of it still counts comes back when the lists are read again. Only the lists of
// this system, and those that were loaded by name: for others no granted key counts. REQUIRES: deny lists
// were read before, and nothing was granted to `trust`. Errors: kInvalid if OpenSSL fails.
struct GrantsFollowed {
  bool changed = false;
  bool withdrew = false;  // lists
  std::vector<Error> left_out;
};
Result<GrantsFollowed> follow_grants(Generation& generation, const std::string& folder, TrustStore& trust);

// LoadedList::origin of the lists of a root; "" is this system. Never 0.
uint64_t list_origin(std::string_view identity);

// LoadedList::stamp: differs when the file was written, or is another. Never 0. It is no secret and no proof:
// who makes two files of one stamp keeps in force what was verified before.
uint64_t file_stamp(const struct stat& info);

// Verifies the file, unless the list of its name has that content, and puts its digests of the generation's
// algorithm into it. A new one is kept in step by nobody (origin 0). Errors begin
// with the path.
Result<Generation::Change> add_list(Generation& generation, const std::string& path, const TrustStore& trust);

// All lists in `folder`, in the order of their names, as of this system; none if it is absent. A bad one is
// left out, as add_list()'s error: what it names stays unknown, which is safe, and one damaged file must not
// keep a host from booting. Names that begin with a dot are passed over: temporary files of writers. Errors:
// kIo.
Result<std::vector<Error>> add_lists(Generation& generation, const std::string& folder,
                                     const TrustStore& trust);

// What is to follow what.
struct Following {
  std::vector<std::string> folders;
  std::string identity;                                  // of the root that they belong to; "": this system
  bool withdraw = true;                                  // what is in none of them
  std::function<void(size_t done, size_t of)> progress;  // empty: nobody wants to know
};
struct Followed {
  size_t lists = 0;                // of that root, now
  std::vector<std::string> added;  // names, of replaced ones too
  size_t withdrawn = 0;
  size_t moved = 0;                                         // only where they came from is new
  std::vector<std::pair<std::string, uint32_t>> uncounted;  // files of added lists, with their left_out
  std::vector<Error> left_out;  // files that could not be read or verified, each with its path
};

// Makes the lists of one root the verified content of these folders: what another folder gave goes. A file
// whose stamp is known is not read, one whose content is known is not verified. A list goes only if its file
// is gone: one that cannot be read, or is damaged now, is left out and what was verified under its name
// stays. The lists of another root have its mark in their names, so that they never take the place of this
// system's. Names that begin with a dot are passed over. Errors, and then nothing is to be published:
// kNotFound and kIo of a folder; kInvalid if this system would be left without any list, since nothing could
// run then.
Result<Followed> follow_folders(Generation& generation, const Following& what, const TrustStore& trust);

// Loaded lists as manifests name them.
std::vector<ManifestList> manifest_lists(std::span<const LoadedList> lists);
// Those that were not in force before.
std::vector<ManifestDenyList> manifest_deny_lists(const Denials& denials, const Denials& before);

// The granted keys of which `before` (Generation::grants()) has none.
Result<std::vector<ManifestKey>> manifest_grants(ByteView grants, ByteView before);

// What a boot measures besides what is configured. All hashes are SHA-256.
struct BootCode {
  Bytes policy_hash;  // of the text that IMA is given (policy/ima_policy.h)
  Bytes loader_hash;
  std::vector<ManifestProgram> programs;
};

// The first manifest. Errors: kInvalid as TrustStore::trusted_keys().
Result<Manifest> boot_manifest(const Config& config, const TrustStore& trust, const Generation& generation,
                               BootCode code);

}  // namespace diglim
