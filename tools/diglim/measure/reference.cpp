// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/measure/reference.h"

#include "lib/base/file.h"
#include "lib/base/paths.h"
#include "lib/base/text.h"
#include "lib/crypto/hash.h"
#include "object_hashes.h"
#include "policy/ima_policy.h"

namespace diglim {
namespace {

constexpr size_t kMaxLoaderBytes = 256u << 20;
constexpr size_t kMaxTextBytes = 1u << 20;
constexpr size_t kSha256Bytes = 32;

Result<Bytes> sha256_of_file(const std::string& path, size_t max) {
  TRY_ASSIGN(const Bytes content, read_file(path, max));
  return hash(HashAlgo::kSha256, {content});
}

Result<Bytes> policy_hash(const ReferenceOptions& options, const Config& config) {
  if (!options.ima_policy.empty()) return sha256_of_file(options.ima_policy, kMaxTextBytes);
  const PolicyLabels labels = options.labels ? config.steering_labels() : PolicyLabels::kNone;
  return hash(HashAlgo::kSha256, {as_bytes(ima_policy(labels, config.pcr))});
}

Result<std::vector<ManifestProgram>> programs(const ReferenceOptions& options) {
  std::map<std::string, std::string> hashes;
  for (const ObjectHash& object : kObjectHashes) hashes[object.name] = object.sha256;
  for (const auto& [name, digest] : options.programs) hashes[name] = digest;
  std::vector<ManifestProgram> list;
  for (const auto& [name, text] : hashes) {
    auto digest = from_hex(text);
    if (!digest || digest->size() != kSha256Bytes)
      return invalid("--program " + escape(name) + ": 64 hexadecimal digits are expected");
    list.push_back({name, *std::move(digest)});
  }
  return list;
}

}  // namespace

Result<Reference> read_reference(const ReferenceOptions& options) {
  std::string root = options.root;
  while (root.ends_with('/')) root.pop_back();
  Config config;
  TRY(read_config(root, options.command_line, config));
  std::vector<Error> left_out;
  TRY_ASSIGN(TrustStore trust, read_keys(root, config, &left_out));
  Generation generation(options.algo);
  apply_denials(generation, trust);
  TRY_ASSIGN(auto lists_left_out, add_lists(generation, root + kListsFolder, trust));
  left_out.insert(left_out.end(), lists_left_out.begin(), lists_left_out.end());
  BootCode code;
  TRY_ASSIGN(code.policy_hash, policy_hash(options, config));
  TRY_ASSIGN(
      code.loader_hash,
      sha256_of_file(options.loader.empty() ? root + kInstalledLoader : options.loader, kMaxLoaderBytes));
  TRY_ASSIGN(code.programs, programs(options));
  TRY_ASSIGN(Manifest boot, boot_manifest(config, trust, generation, std::move(code)));
  return Reference{std::move(config), std::move(trust), std::move(generation), std::move(boot),
                   std::move(left_out)};
}

}  // namespace diglim
