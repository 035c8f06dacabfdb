// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/key/changes.h"

#include <stdlib.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <set>

#include "lib/base/file.h"
#include "lib/base/paths.h"
#include "lib/base/text.h"
#include "policy/boot_trust.h"
#include "tools/file_digests.h"
#include "tools/progress.h"

namespace diglim::key {
namespace {

// Without these no machine comes up; the loader needs no list.
constexpr std::string_view kVital[] = {"/sbin/init", "/bin/sh", "/usr/lib64/ld-linux-x86-64.so.2",
                                       "/lib64/ld-linux-x86-64.so.2"};
constexpr std::string_view kRevocationPrefix = "revoked-";
constexpr size_t kMarkBytes = 4;

std::set<std::string> fingerprints(const KeyFile& file) {
  std::set<std::string> result;
  for (const KeyInfo& info : file.keys) result.insert(info.fingerprint);
  return result;
}

std::string folder_of(const Places& places) {
  return places.root + kKeysFolder;
}

// The trust of after the change, from a folder of copies.
Result<TrustStore> trust_after(const Places& places, const Config& config, const Change& change) {
  std::string folder = "/tmp/diglim-keys.XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) return from_errno("create " + folder, errno);
  const std::unique_ptr<const std::string, void (*)(const std::string*)> guard(
      &folder, [](const std::string* path) {
        std::error_code ignored;
        std::filesystem::remove_all(*path, ignored);
      });
  TRY_ASSIGN(const auto names, list_folder(folder_of(places)));
  for (const std::string& name : names) {
    if (name.starts_with('.') || std::ranges::find(change.gone, name) != change.gone.end()) continue;
    const auto content = read_file(folder_of(places) + "/" + name, kMaxKeyBytes);
    if (content) TRY(write_file_atomically(folder + "/" + name, *content, 0600));
  }
  if (!change.name.empty()) TRY(write_file_atomically(folder + "/" + change.name, change.content, 0600));
  return TrustStore::from_folder(folder, config.signatures);
}

}  // namespace

Result<std::vector<KeyFile>> trusted_files(const Places& places) {
  std::vector<KeyFile> files;
  TRY_ASSIGN(const auto names, list_folder(folder_of(places)));
  for (const std::string& name : names) {
    if (name.starts_with('.')) continue;
    auto content = read_file(folder_of(places) + "/" + name, kMaxKeyBytes);
    auto file = content ? key_file(name, std::string(kKeysFolder) + "/" + escape(name), *std::move(content))
                        : Result<KeyFile>(content.error());
    if (file) files.push_back(*std::move(file));
  }
  return files;
}

Result<std::string> name_for(const Places& places, const KeyFile& file) {
  if (file.name.empty() || file.name.starts_with('.')) {
    return invalid(escape(file.name) +
                   ": files whose names begin with a dot do not count; name it otherwise");
  }
  const std::string path = folder_of(places) + "/" + file.name;
  auto content = read_file(path, kMaxKeyBytes);
  if (!content || *content == file.content) return file.name;
  const auto there = key_file(file.name, "", *std::move(content));
  if (!there || fingerprints(*there) != fingerprints(file)) {
    return invalid("there is another " + escape(path) +
                   "; remove it first (diglim key remove), or name the new one otherwise");
  }
  TRY_ASSIGN(const Bytes digest, hash(HashAlgo::kSha256, {file.content}));
  return file.name + "-" + to_hex(ByteView(digest).first(kMarkBytes));
}

std::string revocation_name(const std::string& fingerprint) {
  return std::string(kRevocationPrefix) + fingerprint + ".pgp";
}

bool is_revocation_name(const std::string& name) {
  return name.starts_with(kRevocationPrefix);
}

bool share_a_key(const std::vector<KeyFile>& files, const KeyFile& file) {
  const auto wanted = fingerprints(file);
  return std::ranges::any_of(files, [&](const KeyFile& other) {
    return std::ranges::any_of(other.keys,
                               [&](const KeyInfo& info) { return wanted.contains(info.fingerprint); });
  });
}

bool has_all(const std::vector<KeyFile>& files, const KeyFile& file) {
  std::set<std::string> had;
  for (const KeyFile& other : files) had.merge(fingerprints(other));
  return std::ranges::all_of(file.keys, [&](const KeyInfo& info) { return had.contains(info.fingerprint); });
}

bool has_content(const std::vector<KeyFile>& files, const KeyFile& file) {
  return std::ranges::any_of(files, [&](const KeyFile& other) { return other.content == file.content; });
}

bool is_useless(const KeyFile& file) {
  return std::ranges::none_of(file.keys, [](const KeyInfo& info) { return info.unusable.empty(); });
}

Result<Loss> find_loss(const Places& places, const Change& change) {
  TRY_ASSIGN(const Config config, read_config_file(places.root));
  TRY_ASSIGN(const TrustStore before, diglim::read_keys(places.root, config));
  TRY_ASSIGN(const TrustStore after, trust_after(places, config, change));
  std::vector<std::pair<Bytes, std::string>> vital;
  for (const std::string_view path : kVital) {
    if (auto digest = digest_file(places.root + std::string(path), HashAlgo::kSha256))
      vital.emplace_back(std::move(*digest), path);
  }
  Progress progress("lists", 0, true);
  return what_is_lost(places.root + kListsFolder, before, after, vital,
                      [&](std::string_view list) { progress.step(list); });
}

}  // namespace diglim::key
