// SPDX-License-Identifier: Apache-2.0
// What a boot trusts, gathered from a folder: the initramfs that the loader boots, or the system of which
// somebody foretells or checks what its loader will do. There is no other copy of these rules. `root` is that
// folder without a slash at its end; "" is the running system. Nothing is printed.
#pragma once

#include <string>
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

// The keys in kKeysFolder. Errors begin with the path: as TrustStore::from_folder().
Result<TrustStore> read_keys(const std::string& root, const Config& config);

// Verifies the file and puts its digests of the generation's algorithm into it. Errors begin with the path.
Result<Generation::Change> add_list(Generation& generation, const std::string& path, const TrustStore& trust);

// All lists in `folder`, in the order of their names; none if it is absent. A bad one is left out, as
// add_list()'s error: what it names stays unknown, which is safe, and one damaged file must not keep a host
// from booting. Names that begin with a dot are passed over: temporary files of writers. Errors: kIo.
Result<std::vector<Error>> add_lists(Generation& generation, const std::string& folder,
                                     const TrustStore& trust);

// The loaded lists as manifests name them.
std::vector<ManifestList> manifest_lists(const Generation& generation);

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
