// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/measure/system.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/crypto/hash.h"
#include "lib/digest_list/digest_list.h"
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

Result<Config> read_config(const SystemOptions& options) {
  const std::string path = options.root + "/etc/diglim/loader.conf";
  Config config;
  auto text = read_file(path, kMaxTextBytes);
  if (text) {
    auto parsed = parse_config(as_text(*text));
    if (!parsed) return with_context(escape(path), parsed.error());
    config = *std::move(parsed);
  } else if (text.error().code != ErrorCode::kNotFound) {
    return std::move(text).error();
  }
  TRY(apply_command_line(options.command_line, config));
  return config;
}

Result<Bytes> policy_hash(const SystemOptions& options, const Config& config) {
  if (!options.ima_policy.empty()) return sha256_of_file(options.ima_policy, kMaxTextBytes);
  const PolicyLabels labels = options.labels ? config.steering_labels() : PolicyLabels::kNone;
  return hash(HashAlgo::kSha256, {as_bytes(ima_policy(labels, config.pcr))});
}

Result<std::vector<ManifestProgram>> programs(const SystemOptions& options) {
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

Result<ManifestList> read_list(const std::string& path, const TrustStore& trust) {
  auto list = verify_digest_list_file(path, trust);
  if (!list) return with_context(escape(path), list.error());
  const size_t slash = path.rfind('/');
  return ManifestList{list->content_hash, slash == std::string::npos ? path : path.substr(slash + 1),
                      list->name, list->signer};
}

Result<std::vector<ManifestList>> read_lists(const std::string& folder, const TrustStore& trust,
                                             std::vector<std::string>& left_out) {
  std::vector<ManifestList> lists;
  auto names = list_folder(folder);
  if (!names && names.error().code == ErrorCode::kNotFound) return lists;
  if (!names) return std::move(names).error();
  for (const std::string& name : *names) {
    if (name[0] == '.') continue;  // temporary files of writers
    auto list = read_list(folder + "/" + name, trust);
    if (list) {
      lists.push_back(*std::move(list));
    } else {
      left_out.push_back(list.error().message);
    }
  }
  return lists;
}

Result<System> read_system(const SystemOptions& options) {
  TRY_ASSIGN(Config config, read_config(options));
  const std::string keys_folder = options.root + "/etc/diglim/keys";
  auto trust = TrustStore::from_folder(keys_folder, config.signatures);
  if (!trust) return with_context(escape(keys_folder), trust.error());
  System system{std::move(config), *std::move(trust), {}, {}};
  ManifestBoot& boot = system.boot.boot;
  boot.mode = system.config.mode;
  boot.algo = options.algo;
  TRY_ASSIGN(boot.policy_hash, policy_hash(options, system.config));
  const std::string loader =
      options.loader.empty() ? options.root + "/usr/sbin/diglim-loader" : options.loader;
  TRY_ASSIGN(boot.loader_hash, sha256_of_file(loader, kMaxLoaderBytes));
  TRY_ASSIGN(boot.programs, programs(options));
  boot.weak_hashes = system.config.signatures.allowed_weak_hashes;  // as written, as the loader does
  TRY_ASSIGN(const auto keys, system.trust.trusted_keys());
  for (const TrustedKey& key : keys) boot.keys.push_back({key.file_hash, key.fingerprint});
  TRY_ASSIGN(system.boot.lists,
             read_lists(options.root + "/etc/digest_lists", system.trust, system.left_out));
  return system;
}

}  // namespace diglim
