// SPDX-License-Identifier: Apache-2.0
#include "policy/boot_trust.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/digest_list/digest_list.h"
#include "lib/digest_list/signed_deny_list.h"
#include "lib/digest_list/signed_grant.h"

namespace diglim {
namespace {

constexpr size_t kMaxConfigBytes = 1u << 16;
constexpr size_t kMarkBytes = 8;
constexpr size_t kMaxNameBytes = 255;

// Where a list comes from, and under which name it is kept.
struct Source {
  std::string path;
  std::string name;
  uint64_t origin = 0;
  uint64_t stamp = 0;
};

std::string name_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

Result<Generation::Change> add(Generation& generation, const Source& source, const TrustStore& trust) {
  const auto bytes = read_digest_list_file(source.path);
  if (!bytes) return with_context(escape(source.path), bytes.error());
  // What lost its key is in no generation any more, so what was verified once stays verified.
  if (const LoadedList* const known = generation.find(source.name)) {
    TRY_ASSIGN(const Bytes digest, hash(HashAlgo::kSha256, {*bytes}));
    if (std::ranges::equal(digest, known->content_hash)) {
      if (source.origin != 0) generation.set_source(source.name, source.origin, source.stamp);
      return Generation::Change::kSame;
    }
  }
  auto list = verify_digest_list(*bytes, trust);
  if (!list) return with_context(escape(source.path), list.error());
  LoadedList loaded;
  loaded.name = source.name;
  loaded.content_hash = list->content_hash;
  loaded.package = list->name;
  loaded.signer = list->signer;
  loaded.left_out = static_cast<uint32_t>(list->undigested + list->count() - list->count(generation.algo()));
  loaded.origin = source.origin;
  loaded.stamp = source.stamp;
  auto change = generation.put(loaded, std::move(list->digests[generation.algo()]));
  if (!change) return with_context(escape(source.path), change.error());
  return change;
}

// In /etc/digest_lists of two roots there may be files of one name.
Result<std::string> name_for(const std::string& identity, const std::string& file) {
  if (identity.empty()) return file;
  const std::string both = identity + '\n' + file;
  TRY_ASSIGN(const Bytes digest, hash(HashAlgo::kSha256, {as_bytes(both)}));
  const std::string mark = "-" + to_hex(ByteView(digest).first(kMarkBytes));
  return file.substr(0, kMaxNameBytes - mark.size()) + mark;
}

uint64_t mix(uint64_t value) {  // the finalizer of SplitMix64 (Steele, Lea, Flood 2014)
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

// A signer is known by a text that others may have, too.
bool may_be_of(const LoadedList& list, const std::vector<std::string>& signers) {
  return std::ranges::any_of(
      signers, [&](const std::string& text) { return list.signer.find(text) != std::string_view::npos; });
}

template <typename Match>
size_t remove_if(Generation& generation, Match match) {
  std::vector<std::string> gone;
  for (const LoadedList& list : generation.lists()) {
    if (match(list)) gone.emplace_back(list.name);
  }
  for (const std::string& name : gone) (void)generation.remove(name);
  return gone.size();
}

// Names that begin with a dot are of files that somebody writes.
Result<std::vector<std::string>> files_of(const std::string& folder) {
  TRY_ASSIGN(auto names, list_folder(folder));
  std::erase_if(names, [](const std::string& name) { return name[0] == '.'; });
  for (std::string& name : names) name = folder + "/" + name;
  return names;
}

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

Result<TrustStore> read_keys(const std::string& root, const Config& config, std::vector<Error>* left_out) {
  const std::string folder = root + kKeysFolder;
  auto trust = TrustStore::from_folder(folder, config.signatures);
  if (!trust) return with_context(escape(folder), trust.error());
  TRY_ASSIGN(DenyListsRead denied, read_deny_lists(root + kRevokedFolder, *trust));
  if (left_out != nullptr) std::ranges::move(denied.left_out, std::back_inserter(*left_out));
  return trust;
}

void apply_denials(Generation& generation, const TrustStore& trust) {
  generation.deny(trust.denials().to_blob(), trust.denials().digests(generation.algo()));
  (void)remove_if(generation, [&](const LoadedList& list) {
    return trust.denials().of_package(list.package) != nullptr || may_be_of(list, trust.denied_signers());
  });
}

Result<GrantsFollowed> follow_grants(Generation& generation, const std::string& folder, TrustStore& trust) {
  GrantsRead read = read_grants(folder, trust);
  // Only now, so that none of them is verified with a key of another.
  for (const Grant& grant : read.grants) TRY(trust.grant(grant.keys));
  GrantsFollowed result;
  result.left_out = std::move(read.left_out);
  Bytes blob = grants_to_blob(read.grants);
  result.changed = !std::ranges::equal(blob, generation.grants());
  if (!result.changed) return result;
  TRY_ASSIGN(const auto before, grants_from_blob(generation.grants()));
  for (const Grant& grant : before) {
    if (std::ranges::find(read.grants, grant.keys, &Grant::keys) != read.grants.end()) continue;
    TRY_ASSIGN(const auto gone, TrustStore::keys_of_file(grant.keys));
    const size_t removed = remove_if(generation, [&](const LoadedList& list) {
      return list.origin <= list_origin("") && may_be_of(list, gone.signers);
    });
    result.withdrew = result.withdrew || removed > 0;
  }
  generation.set_grants(std::move(blob));
  return result;
}

Result<std::vector<Error>> apply_denials_and_keep(Generation& generation, const TrustStore& trust,
                                                  const std::string& folder) {
  apply_denials(generation, trust);
  return add_lists(generation, folder, trust);
}

uint64_t list_origin(std::string_view identity) {
  if (identity.empty()) return 1;
  uint64_t value = 2;
  for (const char c : identity) value = mix(value + static_cast<uint8_t>(c) + 1);
  return std::max<uint64_t>(value, 2);
}

uint64_t file_stamp(const struct stat& info) {
  uint64_t value = 0;
  for (const auto part : {static_cast<uint64_t>(info.st_dev), static_cast<uint64_t>(info.st_ino),
                          static_cast<uint64_t>(info.st_size), static_cast<uint64_t>(info.st_ctim.tv_sec),
                          static_cast<uint64_t>(info.st_ctim.tv_nsec)})
    value = mix(value + part + 1);
  return std::max<uint64_t>(value, 1);
}

Result<Generation::Change> add_list(Generation& generation, const std::string& path,
                                    const TrustStore& trust) {
  return add(generation, {path, name_of(path), 0, 0}, trust);
}

Result<std::vector<Error>> add_lists(Generation& generation, const std::string& folder,
                                     const TrustStore& trust) {
  auto followed = follow_folders(generation, {{folder}, "", false, {}}, trust);
  if (!followed && followed.error().code == ErrorCode::kNotFound) return std::vector<Error>();
  if (!followed) return followed.error();
  return std::move(followed->left_out);
}

Result<Followed> follow_folders(Generation& generation, const Following& what, const TrustStore& trust) {
  Followed result;
  const uint64_t origin = list_origin(what.identity);
  std::vector<std::string> files;
  for (const std::string& folder : what.folders) {
    TRY_ASSIGN(const auto some, files_of(folder));
    files.insert(files.end(), some.begin(), some.end());
  }
  std::set<std::string> there;
  for (size_t i = 0; i < files.size(); ++i) {
    if (what.progress) what.progress(i + 1, files.size());
    Source source{files[i], "", origin, 0};
    TRY_ASSIGN(source.name, name_for(what.identity, name_of(files[i])));
    if (!there.insert(source.name).second) {
      result.left_out.push_back(
          invalid(escape(files[i]) + ": a directory before this one has a list of this name"));
      continue;
    }
    struct stat info = {};
    if (stat(files[i].c_str(), &info) == 0) source.stamp = file_stamp(info);
    const LoadedList* const known = generation.find(source.name);
    const bool moved = known != nullptr && known->origin != origin;
    if (known != nullptr && known->stamp == source.stamp && source.stamp != 0) {
      if (moved) generation.set_source(source.name, origin, source.stamp);
      result.moved += moved ? 1 : 0;
      continue;
    }
    auto change = add(generation, source, trust);
    if (!change) {
      result.left_out.push_back(std::move(change).error());
    } else if (*change != Generation::Change::kSame) {
      result.added.push_back(source.name);
      if (generation.find(source.name)->left_out > 0)
        result.uncounted.push_back({files[i], generation.find(source.name)->left_out});
    } else {
      result.moved += moved ? 1 : 0;
    }
  }
  std::vector<std::string> gone;
  for (const LoadedList& list : generation.lists()) {
    if (list.origin != origin) continue;
    if (what.withdraw && !there.contains(std::string(list.name))) gone.emplace_back(list.name);
    ++result.lists;
  }
  result.lists -= gone.size();
  result.withdrawn = gone.size();
  if (!gone.empty() && result.lists == 0 && what.identity.empty())
    return invalid(
        "no list in there is good: without any, no program could run" +
        (result.left_out.empty() ? std::string() : "; the first: " + result.left_out.front().message));
  for (const std::string& name : gone) (void)generation.remove(name);
  return result;
}

std::vector<ManifestList> manifest_lists(std::span<const LoadedList> lists) {
  std::vector<ManifestList> named;
  for (const LoadedList& list : lists) {
    named.push_back({to_bytes(list.content_hash), std::string(list.name), std::string(list.package),
                     std::string(list.signer)});
  }
  return named;
}

std::vector<ManifestDenyList> manifest_deny_lists(const Denials& denials, const Denials& before) {
  std::vector<ManifestDenyList> named;
  for (const SignedDenyList& one : denials.lists()) {
    if (!before.has(one.content_hash))
      named.push_back({one.content_hash, one.list.serial, one.list.name, one.signer});
  }
  return named;
}

Result<std::vector<ManifestKey>> manifest_grants(ByteView grants, ByteView before) {
  std::vector<ManifestKey> named;
  TRY_ASSIGN(const auto now, grants_from_blob(grants));
  TRY_ASSIGN(const auto then, grants_from_blob(before));
  for (const Grant& grant : now) {
    if (std::ranges::find(then, grant.keys, &Grant::keys) != then.end()) continue;
    TRY_ASSIGN(const auto file, TrustStore::keys_of_file(grant.keys));
    for (const TrustedKey& key : file.keys) named.push_back({key.file_hash, key.fingerprint});
  }
  return named;
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
  // Under SELinux measuring begins later, perhaps after something was granted.
  TRY_ASSIGN(manifest.boot.keys, manifest_grants(generation.grants(), {}));
  for (const TrustedKey& key : keys) manifest.boot.keys.push_back({key.file_hash, key.fingerprint});
  TRY_ASSIGN(const Denials denials, Denials::from_blob(generation.denials()));
  manifest.deny_lists = manifest_deny_lists(denials, {});
  manifest.lists = manifest_lists(generation.lists());
  return manifest;
}

}  // namespace diglim
