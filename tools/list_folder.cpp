// SPDX-License-Identifier: Apache-2.0
#include "tools/list_folder.h"

#include <unistd.h>

#include <cerrno>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/crypto/hash.h"
#include "lib/digest_list/rpm_list.h"

namespace diglim {

Result<void> ListFolder::write(const std::string& nvra, ByteView list) {
  TRY_ASSIGN(std::string name, rpm_list_name(nvra));
  TRY_ASSIGN(Bytes digest, hash(HashAlgo::kSha256, {list}));
  const auto known = hashes_.find(name);
  if (known != hashes_.end() && known->second == digest) return {};
  if (known != hashes_.end()) {
    TRY_ASSIGN(name, rpm_list_name(nvra + "-" + to_hex(ByteView(digest).first(8))));
  }
  const std::string path = path_of(name);
  const auto present = read_file(path, list.size());
  if (present && as_text(*present) == as_text(list)) {
    ++unchanged_;
  } else {
    TRY(write_file_atomically(path, list, 0644));
    ++written_;
  }
  hashes_[name] = std::move(digest);
  return {};
}

Result<std::vector<std::string>> ListFolder::prune() {
  TRY_ASSIGN(const std::vector<std::string> present, list_folder(path_));
  std::vector<std::string> removed;
  for (const std::string& name : present) {
    if (!name.starts_with(kRpmListPrefix) || hashes_.contains(name)) continue;
    if (unlink(path_of(name).c_str()) != 0) return from_errno("remove " + escape(path_of(name)), errno);
    removed.push_back(name);
  }
  return removed;
}

std::vector<std::string> ListFolder::names() const {
  std::vector<std::string> all;
  for (const auto& [name, digest] : hashes_) all.push_back(name);
  return all;
}

}  // namespace diglim
