// SPDX-License-Identifier: Apache-2.0
// A reference system, as its loader would find it at boot: what it trusts (policy/boot_trust.h), and the
// manifest of that.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "policy/boot_trust.h"

namespace diglim {

struct ReferenceOptions {
  std::string root = "/";
  std::string loader;                 // the executable; empty: ROOT/usr/sbin/diglim-loader
  std::string command_line;           // of the kernel: "diglim.mode=... diglim.pcr=..."
  std::string ima_policy;             // a file with another text than the loader's own; empty: the loader's
  bool labels = true;                 // the machine runs what the configuration says, so IMA can be steered
  HashAlgo algo = HashAlgo::kSha256;  // the kernel's ima_hash
  std::map<std::string, std::string> programs;  // name -> SHA-256 in hexadecimal, other than this build's
};

struct Reference {
  Config config;
  TrustStore trust;
  Generation generation;
  Manifest boot;
  std::vector<Error> left_out;  // lists that the loader would leave out, and why
};

// Errors: what would stop the loader's boot, and kNotFound for a missing loader.
Result<Reference> read_reference(const ReferenceOptions& options);

}  // namespace diglim
