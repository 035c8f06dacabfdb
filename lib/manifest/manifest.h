// SPDX-License-Identifier: Apache-2.0
// The manifest: what the loader trusts and enforces, as canonical text that IMA measures. The same state
// gives the same bytes, so that the PCR can be computed in advance. FORMAT.md is the contract between loader,
// predictor and verifier; there is no other copy of the rules.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/crypto/hash.h"

namespace diglim {

enum class ManifestKind {
  kBoot,     // the whole state with which the machine came up; number 1
  kAdd,      // lists and granted keys that count from now on; measured before they do
  kRemove,   // lists that count no more, and what is revoked; measured after they stopped
  kMonitor,  // for a time what is unknown runs; measured before it begins
};
std::string_view kind_name(ManifestKind kind);  // "boot", "add", "remove", "monitor"

enum class ManifestMode {
  kEnforce,     // what is unknown is denied
  kPermissive,  // what is unknown is reported and runs
  kMeasure,     // what is unknown is only measured
};
std::string_view mode_name(ManifestMode mode);  // "enforce", "permissive", "measure"
std::optional<ManifestMode> mode_from_name(std::string_view name);

// All hashes in a manifest are SHA-256, 32 bytes, whatever the kernel's own algorithm is.
struct ManifestProgram {
  std::string name;  // "diglim.bpf.o"
  Bytes hash;        // of the BPF object
  bool operator==(const ManifestProgram&) const = default;
};

struct ManifestKey {
  Bytes file_hash;          // of the key file, byte for byte
  std::string fingerprint;  // "openpgp:HEX" (20 or 32 bytes) or "x509:HEX" (SHA-256 of the DER)
  bool operator==(const ManifestKey&) const = default;
};

struct ManifestList {
  Bytes hash;        // of the bytes that were verified (DigestList::content_hash)
  std::string name;  // the file's name without directories, unescaped; whoever wrote the file chose it
  std::string
      package;  // DigestList::name: what the signed header says ("bash-5.2-1.x86_64"); empty: no package
  std::string signer;  // DigestList::signer, unescaped
  bool operator==(const ManifestList&) const = default;
};

// What is revoked. One of the same name and a higher serial takes its place.
struct ManifestDenyList {
  Bytes hash;  // of the file, signature included
  uint64_t serial = 0;
  std::string name;  // as the signed text says
  std::string signer;
  bool operator==(const ManifestDenyList&) const = default;
};

// What cannot change until the next boot.
struct ManifestBoot {
  ManifestMode mode = ManifestMode::kEnforce;
  HashAlgo algo = HashAlgo::kSha256;  // of the digest table: the kernel's ima_hash
  Bytes policy_hash;                  // of the IMA policy text, as written into securityfs
  Bytes loader_hash;                  // of the loader's executable
  std::vector<ManifestProgram> programs;
  std::vector<HashAlgo> weak_hashes;  // allowed in signatures by the configuration
  std::vector<ManifestKey> keys;
  bool operator==(const ManifestBoot&) const = default;
};

// Its end is not measured: what ran meanwhile may still run.
struct ManifestMonitor {
  uint64_t seconds = 0;
  std::string signer;  // who allowed it, unescaped; empty: root, and the configuration let root
  std::string reason;
  bool operator==(const ManifestMonitor&) const = default;
};

struct Manifest {
  ManifestKind kind = ManifestKind::kBoot;
  uint64_t number = 1;                       // counts the manifests of one boot
  Bytes previous;                            // hash of the manifest before; empty for kBoot
  ManifestBoot boot;                         // meaningless unless kBoot
  ManifestMonitor monitor;                   // meaningless unless kMonitor
  std::vector<ManifestKey> keys;             // granted from now on; of kAdd only
  std::vector<ManifestDenyList> deny_lists;  // in force from now on; never of kAdd
  std::vector<ManifestList> lists;           // of kRemove: package and signer are not said
  bool operator==(const Manifest&) const = default;
};

constexpr size_t kMaxManifestBytes = 32u << 20;
constexpr size_t kMaxManifestLists = 65536;
constexpr size_t kMaxManifestKeys = 65536;
constexpr size_t kMaxManifestPrograms = 64;
constexpr size_t kMaxManifestDenyLists = 64;
constexpr size_t kMaxManifestName = 255;      // NAME_MAX, before escaping
constexpr size_t kMaxManifestPackage = 1024;  // before escaping
constexpr size_t kMaxManifestSigner = 1024;   // as in the registry, before escaping

// Sorts, drops exact repetitions of keys, cuts packages and signers to their limits, and writes. kInvalid for
// what the format cannot say: an empty name or one with '/', a hash that is not 32 bytes, two lists of one
// name, kAdd or kRemove that changes nothing, kMonitor with a list, granted keys of another kind than kAdd.
Result<Bytes> write_manifest(Manifest manifest);

Result<Bytes> manifest_hash(ByteView file);  // SHA-256

// "/run/diglim/manifest.N": where the loader writes it and, as absolute path, what stands in the IMA log.
std::string manifest_path(uint64_t number);
constexpr std::string_view kManifestPathPrefix = "/run/diglim/manifest.";

}  // namespace diglim
