// SPDX-License-Identifier: Apache-2.0
// What a verifier accepts. JSON; policy(5)-like description in FORMAT.md.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "lib/manifest/manifest.h"
#include "lib/tcg/pcr.h"

namespace diglim {

// What digest lists must be.
struct AcceptedLists {
  std::optional<std::set<Bytes>> lists;                 // content hashes; none: whatever the keys signed
  std::map<std::string, std::string> minimum_versions;  // package name -> "[epoch:]version[-release]"
};

// In each optional set: none means that anything is accepted, which a policy must say in words ("any").
struct VerifierPolicy {
  unsigned pcr = 10;  // that IMA measures into
  HashAlgo bank = HashAlgo::kSha256;
  std::set<ManifestMode> modes = {ManifestMode::kEnforce};
  std::optional<std::set<Bytes>> loaders;                          // SHA-256
  std::optional<std::set<Bytes>> ima_policies;                     // SHA-256
  std::optional<std::map<std::string, std::set<Bytes>>> programs;  // name -> SHA-256
  std::optional<std::set<std::string>> keys;                       // fingerprints
  // Never null. Copies share it, and so do the machines of a fleet: what was judged for one counts for all.
  std::shared_ptr<AcceptedLists> accepted = std::make_shared<AcceptedLists>();
  std::map<std::string, uint64_t> minimum_serials;  // deny list -> the lowest serial that is new enough
  std::set<HashAlgo> weak_hashes;                   // that the configuration may allow in signatures
  std::map<unsigned, std::set<Bytes>> pcrs;         // reference values of other registers
  std::set<Bytes> boot_aggregates;
  std::set<Bytes> tolerated_files;  // digests of unknown files that change nothing
};

constexpr size_t kMaxPolicyBytes = 64u << 20;

// kCorrupt: no JSON; kInvalid: a key that is missing, unknown or of the wrong kind, named in the message.
Result<VerifierPolicy> read_policy(std::string_view json);

// The reverse, for making a policy from a reference system. Ends with a line feed.
std::string write_policy(const VerifierPolicy& policy);

}  // namespace diglim
