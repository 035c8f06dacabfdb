// SPDX-License-Identifier: Apache-2.0
#include "lib/digest_list/signed_grant.h"

#include <sys/stat.h>

#include <algorithm>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/trust/signed_text.h"

namespace diglim {
namespace {

constexpr size_t kMaxSigner = 1024;

// Nothing happens by one that adds nothing.
Result<void> read_one(const std::string& path, const TrustStore& trust, std::vector<Grant>& grants) {
  TRY_ASSIGN(const Bytes file, read_file(path, kMaxGrantFileBytes));
  TRY_ASSIGN(Grant grant, verify_grant(file, trust));
  const auto is_same = [&](const Grant& other) { return other.keys == grant.keys; };
  if (trust.has_file(grant.keys) || std::ranges::any_of(grants, is_same)) return {};
  size_t bytes = grant.keys.size();
  for (const Grant& other : grants) bytes += other.keys.size();
  if (bytes > kMaxGrantBytes) return unsupported("more than 1 MiB of granted keys");
  grants.push_back(std::move(grant));
  return {};
}

}  // namespace

Bytes write_grant(ByteView keys) {
  std::string content(kGrantMagic);
  content += as_text(keys);
  return to_bytes(as_bytes(content));
}

Result<Grant> verify_grant(ByteView file, const TrustStore& trust) {
  TRY_ASSIGN(SignedText text, verify_signed_text(file, trust, "a grant of keys"));
  text.signer.resize(std::min(text.signer.size(), kMaxSigner));
  if (!as_text(text.content).starts_with(kGrantMagic)) return corrupt(0, "no grant of keys");
  Grant grant{std::move(text.signer), to_bytes(text.content.subspan(kGrantMagic.size()))};
  TRY(TrustStore::check_file(grant.keys));
  return grant;
}

GrantsRead read_grants(const std::string& folder, const TrustStore& trust) {
  GrantsRead result;
  const auto leave_out = [&](const std::string& path, Error error) {
    result.left_out.push_back(with_context(escape(path) + ": granted keys", std::move(error)));
  };
  const auto names = list_folder(folder);
  if (!names && names.error().code != ErrorCode::kNotFound) leave_out(folder, names.error());
  if (!names) return result;
  size_t files = 0;
  for (const std::string& name : *names) {
    const std::string path = folder + "/" + name;
    struct stat info = {};
    if (name.starts_with(".") || (stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode))) continue;
    if (files++ == kMaxGrants) {
      leave_out(path, unsupported("this and what follows is not read: at most 64 files"));
      break;
    }
    if (auto read = read_one(path, trust, result.grants); !read) leave_out(path, std::move(read).error());
  }
  return result;
}

Bytes grants_to_blob(std::span<const Grant> grants) {
  Bytes blob;
  for (const Grant& grant : grants) {
    for (const ByteView part : {as_bytes(grant.signer), ByteView(grant.keys)}) {
      put_u32_le(blob, static_cast<uint32_t>(part.size()));
      append(blob, part);
    }
  }
  return blob;
}

Result<std::vector<Grant>> grants_from_blob(ByteView blob) {
  std::vector<Grant> grants;
  ByteReader reader(blob);
  while (!reader.empty()) {
    TRY_ASSIGN(const uint32_t signer_size, reader.u32_le());
    TRY_ASSIGN(const ByteView signer, reader.bytes(signer_size));
    TRY_ASSIGN(const uint32_t keys_size, reader.u32_le());
    TRY_ASSIGN(const ByteView keys, reader.bytes(keys_size));
    grants.push_back({std::string(as_text(signer)), to_bytes(keys)});
  }
  return grants;
}

}  // namespace diglim
