// SPDX-License-Identifier: Apache-2.0
#include "lib/digest_list/signed_deny_list.h"

#include <sys/stat.h>

#include <algorithm>
#include <optional>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/crypto/hash.h"
#include "lib/trust/signed_text.h"

namespace diglim {
namespace {

struct File {
  std::string path;
  Bytes content;
  uint64_t serial = 0;
};

// With what was trusted at boot, or is by now; what counts is decided in deny_one(). None: its very bytes are
// in force, whoever was revoked since.
Result<std::optional<File>> read_one(const std::string& path, const TrustStore& trust) {
  TRY_ASSIGN(Bytes content, read_file(path, kMaxDenyFileBytes));
  TRY_ASSIGN(const Bytes content_hash, hash(HashAlgo::kSha256, {content}));
  if (trust.denials().has(content_hash)) return std::optional<File>();
  TRY_ASSIGN(const SignedDenyList list, verify_deny_list(content, trust));
  return std::optional<File>({path, std::move(content), list.list.serial});
}

// Serial of the list of that name in force; 0: none.
uint64_t serial_of(const Denials& denials, const std::string& name) {
  for (const SignedDenyList& one : denials.lists()) {
    if (one.list.name == name) return one.list.serial;
  }
  return 0;
}

Result<void> deny_one(const File& file, TrustStore& trust, DenyListsRead& result) {
  TRY_ASSIGN(SignedDenyList list, verify_deny_list(file.content, trust));
  if (trust.denials().has(list.content_hash)) return {};  // a copy
  const uint64_t in_force = serial_of(trust.denials(), list.list.name);
  if (list.list.serial < in_force) {
    result.superseded.push_back(escape(file.path) + ": serial " + std::to_string(list.list.serial) +
                                " of the deny list " + list.list.name + ", of which serial " +
                                std::to_string(in_force) + " is in force");
    return {};
  }
  TRY(trust.deny(std::move(list)));
  result.changed = true;
  return {};
}

bool is_folder(const std::string& path) {
  struct stat info = {};
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

}  // namespace

Result<SignedDenyList> verify_deny_list(ByteView file, const TrustStore& trust) {
  TRY_ASSIGN(SignedText text, verify_signed_text(file, trust, "a deny list"));
  SignedDenyList list;
  list.signer = std::move(text.signer);
  TRY_ASSIGN(list.list, read_deny_list(text.content));
  list.content = to_bytes(text.content);
  TRY_ASSIGN(list.content_hash, hash(HashAlgo::kSha256, {file}));
  return list;
}

Result<DenyListsRead> read_deny_lists(const std::string& folder, TrustStore& trust) {
  DenyListsRead result;
  const auto names = list_folder(folder);
  if (!names && names.error().code == ErrorCode::kNotFound) return result;
  if (!names) {
    result.left_out.push_back(with_context(escape(folder) + ": deny lists", names.error()));
    return result;
  }
  std::vector<File> files;
  const auto leave_out = [&](const std::string& path, Error error) {
    result.left_out.push_back(with_context(escape(path) + ": deny list", std::move(error)));
  };
  for (const std::string& name : *names) {
    if (name.starts_with(".")) continue;
    const std::string path = folder + "/" + name;
    if (is_folder(path)) continue;
    auto file = read_one(path, trust);
    if (!file) {
      leave_out(path, std::move(file).error());
    } else if (*file) {
      files.push_back(std::move(**file));
    }
  }
  std::stable_sort(files.begin(), files.end(),
                   [](const File& a, const File& b) { return a.serial < b.serial; });
  for (const File& file : files) {
    const auto denied = deny_one(file, trust, result);
    if (!denied) leave_out(file.path, denied.error());
  }
  return result;
}

}  // namespace diglim
