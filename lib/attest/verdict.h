// SPDX-License-Identifier: Apache-2.0
// What a verifier found.
#pragma once

#include <string>
#include <vector>

#include "lib/attest/finding.h"
#include "lib/attest/lists_in_force.h"
#include "lib/tcg/quote.h"

namespace diglim {

struct UnknownFile {
  std::string path;  // as in the log, unescaped
  std::string algo;
  Bytes digest;
  unsigned pcr = 0;
  bool violation = false;
  bool tolerated = false;
};

// Was measured, is not in the bundle, and the verifier has no other one of that digest.
struct MissingManifest {
  std::string path;  // as in the log, unescaped
  std::string algo;
  Bytes digest;
};

// What a log may take up in `findings`, `unknown` and `lacks`: 16 MiB each for the entries and for what
// follows. The first of each kind is there in any case.
constexpr size_t kMaxListedBytes = 16u << 20;

struct Verdict {
  std::vector<Finding> findings;      // none: trusted
  std::vector<std::string> warnings;  // what was not checked
  // What the evidence says; empty if it is none.
  bool authentic = false;  // a quote of the enrolled key, with the nonce, over this log
  Quote quote;
  std::vector<UnknownFile> unknown;
  std::vector<MissingManifest> lacks;
  size_t not_listed =
      0;  // entries that there was no room for; then it is not trusted, or they are tolerated files
  ManifestBoot boot;
  ListsInForce lists;
  size_t events = 0;

  bool trusted() const { return authentic && findings.empty(); }
  // Not trusted, only because manifests are missing, or perhaps so: the verdict comes with them. They can be
  // judged with the same quote.
  bool incomplete() const;
};

}  // namespace diglim
