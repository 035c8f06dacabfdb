// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/tls/agent_keys.h"

#include <sys/stat.h>

#include <algorithm>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/tpm/key_public.h"

namespace diglim {
namespace {

constexpr size_t kMaxKeys = 128;  // their list has to fit into one message

Result<PublicTpmKey> read_public(const std::string& path) {
  TRY_ASSIGN(const Bytes pem, read_file(path, kMaxKeyFileBytes));
  TRY_ASSIGN(const KeyFile file, read_key_pem(as_text(pem)));
  PublicTpmKey out;
  TRY_ASSIGN(out.parts, read_key_parts(file));
  TRY_ASSIGN(const PkeyPtr key, openssl_public_key(out.parts.public_part));
  TRY_ASSIGN(out.ssh, ssh_key(key.get()));
  TRY_ASSIGN(out.fingerprint, ssh_fingerprint(out.ssh));
  return out;
}

}  // namespace

Result<PublicTpmKey> read_ssh_key(const std::string& path) {
  auto key = read_public(path);
  if (key || key.error().code == ErrorCode::kIo || key.error().code == ErrorCode::kNotFound) return key;
  return with_context(escape(path), key.error());
}

std::vector<std::string> AgentKeys::list() const {
  std::vector<std::string> files;
  for (const std::string& path : paths_) {
    struct stat info = {};
    if (stat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
      files.push_back(path);
      continue;
    }
    const auto names = list_folder(path);
    if (!names) continue;  // as an empty one
    for (const std::string& name : *names) {
      if (name.ends_with(".key") && !name.starts_with('.')) files.push_back(path + "/" + name);
    }
  }
  return files;
}

AgentKeys::Stamp AgentKeys::stamp_of(const std::string& path) {
  struct stat info = {};
  if (stat(path.c_str(), &info) != 0) return {};
  return {info.st_dev, info.st_ino, info.st_size, info.st_ctim.tv_sec * 1'000'000'000 + info.st_ctim.tv_nsec};
}

std::shared_ptr<const AgentKey> AgentKeys::read(const std::string& path) const {
  auto key = read_ssh_key(path);
  if (!key) {
    complain_(key.error().message);
    return nullptr;
  }
  const auto taken = check_(key->parts);
  if (!taken) complain_(escape(path) + ": " + taken.error().message);
  if (!taken && taken.error().code == ErrorCode::kUntrusted) return nullptr;
  return std::make_shared<const AgentKey>(AgentKey{path, *std::move(key)});
}

void AgentKeys::refresh() {
  std::vector<File> now;
  for (const std::string& path : list()) {
    const Stamp stamp = stamp_of(path);  // before it is read: what comes after that is seen next time
    const auto old = std::ranges::find(files_, path, &File::path);
    if (old != files_.end() && old->stamp == stamp)
      now.push_back(*old);
    else
      now.push_back({path, stamp, read(path)});
  }
  files_ = std::move(now);
  keys_.clear();
  for (const File& file : files_) {
    if (file.key && !find(file.key->key.ssh.blob) && keys_.size() < kMaxKeys) keys_.push_back(file.key);
  }
}

std::shared_ptr<const AgentKey> AgentKeys::find(ByteView blob) const {
  const auto found = std::ranges::find_if(
      keys_, [&](const auto& one) { return std::ranges::equal(one->key.ssh.blob, blob); });
  return found == keys_.end() ? nullptr : *found;
}

}  // namespace diglim
