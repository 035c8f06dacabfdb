// SPDX-License-Identifier: Apache-2.0
#include "policy/boot_trust.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/digest_list/digest_list.h"

namespace diglim {
namespace {

constexpr size_t kMaxConfigBytes = 1u << 16;

}  // namespace

Result<Config> read_config_file(const std::string& root) {
  const std::string path = root + kConfigFile;
  const auto file = read_file(path, kMaxConfigBytes);
  if (!file && file.error().code == ErrorCode::kNotFound) return Config();
  if (!file) return with_context(escape(path), file.error());
  auto config = parse_config(as_text(*file));
  if (!config) return with_context(escape(path), config.error());
  return config;
}

Result<void> read_config(const std::string& root, std::string_view command_line, Config& config) {
  auto file = read_config_file(root);
  if (file) config = *file;
  TRY(apply_command_line(command_line, config));
  if (!file) return std::move(file).error();
  return {};
}

Result<TrustStore> read_keys(const std::string& root, const Config& config) {
  const std::string folder = root + kKeysFolder;
  auto trust = TrustStore::from_folder(folder, config.signatures);
  if (!trust) return with_context(escape(folder), trust.error());
  return trust;
}

Result<Generation::Change> add_list(Generation& generation, const std::string& path,
                                    const TrustStore& trust) {
  auto list = verify_digest_list_file(path, trust);
  if (!list) return with_context(escape(path), list.error());
  LoadedList loaded;
  loaded.name = path.substr(path.rfind('/') + 1);
  loaded.content_hash = list->content_hash;
  loaded.package = list->name;
  loaded.signer = list->signer;
  loaded.left_out = static_cast<uint32_t>(list->undigested + list->count() - list->count(generation.algo()));
  auto change = generation.put(std::move(loaded), std::move(list->digests[generation.algo()]));
  if (!change) return with_context(escape(path), change.error());
  return change;
}

Result<std::vector<Error>> add_lists(Generation& generation, const std::string& folder,
                                     const TrustStore& trust) {
  std::vector<Error> left_out;
  const auto names = list_folder(folder);
  if (!names && names.error().code == ErrorCode::kNotFound) return left_out;
  if (!names) return names.error();
  for (const std::string& name : *names) {
    if (name[0] == '.') continue;
    auto added = add_list(generation, folder + "/" + name, trust);
    if (!added) left_out.push_back(std::move(added).error());
  }
  return left_out;
}

std::vector<ManifestList> manifest_lists(const Generation& generation) {
  std::vector<ManifestList> lists;
  for (const LoadedList& list : generation.lists())
    lists.push_back({list.content_hash, list.name, list.package, list.signer});
  return lists;
}

Result<Manifest> boot_manifest(const Config& config, const TrustStore& trust, const Generation& generation,
                               BootCode code) {
  Manifest manifest;
  manifest.boot.mode = config.mode;
  manifest.boot.algo = generation.algo();
  manifest.boot.policy_hash = std::move(code.policy_hash);
  manifest.boot.loader_hash = std::move(code.loader_hash);
  manifest.boot.programs = std::move(code.programs);
  manifest.boot.weak_hashes = config.signatures.allowed_weak_hashes;  // in the order of the file
  TRY_ASSIGN(const auto keys, trust.trusted_keys());
  for (const TrustedKey& key : keys) manifest.boot.keys.push_back({key.file_hash, key.fingerprint});
  manifest.lists = manifest_lists(generation);
  return manifest;
}

}  // namespace diglim
