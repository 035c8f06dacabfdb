// SPDX-License-Identifier: Apache-2.0
// What the loader would find at boot: a root folder as the manifest that it would write.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lib/manifest/manifest.h"
#include "lib/trust/trust_store.h"
#include "loader/config.h"

namespace diglim {

struct SystemOptions {
  std::string root = "/";
  std::string loader;                 // the executable; empty: ROOT/usr/sbin/diglim-loader
  std::string command_line;           // of the kernel: "diglim.mode=... diglim.pcr=..."
  std::string ima_policy;             // a file with another text than the loader's own; empty: the loader's
  bool labels = true;                 // the machine runs what the configuration says, so IMA can be steered
  HashAlgo algo = HashAlgo::kSha256;  // the kernel's ima_hash
  std::map<std::string, std::string> programs;  // name -> SHA-256 in hexadecimal, other than this build's
};

struct System {
  Config config;
  TrustStore trust;
  Manifest boot;
  std::vector<std::string> left_out;  // lists that the loader would leave out, and why
};

// Reads ROOT as the loader does: configuration, keys, lists. Errors: what would stop its boot, and kNotFound
// for a missing loader.
Result<System> read_system(const SystemOptions& options);

// One list as the loader would register it.
Result<ManifestList> read_list(const std::string& path, const TrustStore& trust);
// Those in a folder; bad ones are left out, as at boot. An absent folder has none.
Result<std::vector<ManifestList>> read_lists(const std::string& folder, const TrustStore& trust,
                                             std::vector<std::string>& left_out);

}  // namespace diglim
