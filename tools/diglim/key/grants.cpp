// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/key/grants.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/cms/appended_signature.h"
#include "lib/digest_list/signed_grant.h"
#include "policy/boot_trust.h"

namespace diglim::key {

Result<Bytes> sign_grant(const Signer& signer, ByteView keys) {
  const Bytes content = write_grant(keys);
  TRY_ASSIGN(const Bytes signature, sign_with(signer, content));
  return append_signature(content, signature, SignatureType::kPkcs7);
}

Result<Bytes> keys_in_grant(ByteView file) {
  TRY_ASSIGN(const AppendedSignature appended, split_appended_signature(file));
  if (!as_text(appended.content).starts_with(kGrantMagic)) return corrupt(0, "no grant of keys");
  return to_bytes(appended.content.subspan(kGrantMagic.size()));
}

std::string grant_name(std::string_view key_file) {
  return std::string(key_file) + ".grant";
}

std::vector<KeyFile> grant_files(const Places& places) {
  std::vector<KeyFile> files;
  const std::string folder = places.root + kGrantedFolder;
  const auto names = list_folder(folder);
  for (const std::string& name : names ? *names : std::vector<std::string>()) {
    if (name.starts_with('.')) continue;
    const auto content = read_file(folder + "/" + name, kMaxGrantFileBytes);
    auto keys = content ? keys_in_grant(*content) : Result<Bytes>(content.error());
    if (!keys) continue;
    auto file = key_file(name, folder + "/" + name, *std::move(keys));
    if (file) files.push_back(*std::move(file));
  }
  return files;
}

std::vector<GrantedKey> granted_of_status(std::string_view json) {
  std::vector<GrantedKey> keys;
  const auto status = nlohmann::json::parse(json, nullptr, false);
  if (!status.is_object() || !status.contains("granted_keys")) return keys;
  for (const auto& one : status["granted_keys"]) {
    if (one.is_object() && one.contains("fingerprint") && one["fingerprint"].is_string() &&
        one.contains("signer") && one["signer"].is_string())
      keys.push_back({one["fingerprint"].get<std::string>(), one["signer"].get<std::string>()});
  }
  return keys;
}

Result<std::string> check_grant(const Places& places, ByteView file) {
  TRY_ASSIGN(const Config config, read_config_file(places.root));
  TRY_ASSIGN(const TrustStore trust, diglim::read_keys(places.root, config));
  TRY_ASSIGN(Grant grant, verify_grant(file, trust));
  TRY_ASSIGN(const auto what, TrustStore::keys_of_file(grant.keys));
  for (const SignedDenyList& one : trust.denials().lists()) {
    for (const DenyEntry& denial : one.list.denials) {
      const bool is_whole = denial.kind == DenyEntry::Kind::kKey && denial.to == 0;
      for (const TrustedKey& key : what.keys) {
        if (is_whole && denial.fingerprint == key.fingerprint)
          return untrusted("the deny list " + one.list.name + " revokes " + key.fingerprint);
      }
    }
  }
  return std::move(grant.signer);
}

bool has_keys(std::string_view json, ByteView keys) {
  const auto status = nlohmann::json::parse(json, nullptr, false);
  const auto file = TrustStore::keys_of_file(keys);
  if (!file || !status.is_object() || !status.contains("fingerprints")) return false;
  const auto& all = status["fingerprints"];
  return std::ranges::all_of(file->keys, [&](const TrustedKey& key) {
    return std::ranges::find(all, nlohmann::json(key.fingerprint)) != all.end();
  });
}

}  // namespace diglim::key
