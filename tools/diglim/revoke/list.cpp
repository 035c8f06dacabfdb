// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/revoke/list.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "lib/base/text.h"

namespace diglim::revoke {
namespace {

constexpr size_t kLeastDigits = 16;

std::string lower(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != ' ') out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

}  // namespace

bool is_named(const DenyEntry& denial, std::string_view word) {
  const std::string text = lower(word);
  switch (denial.kind) {
    case DenyEntry::Kind::kDigest: {
      const std::string hex = to_hex(denial.digest);
      return text == hex || text == std::string(hash_name(denial.algo)) + ":" + hex;
    }
    case DenyEntry::Kind::kPackage:
      return word == denial.package;
    case DenyEntry::Kind::kKey:
      break;
  }
  return text == denial.fingerprint || text == denial.fingerprint.substr(denial.fingerprint.find(':') + 1);
}

bool same_target(const DenyEntry& a, const DenyEntry& b) {
  return a.kind == b.kind && a.algo == b.algo && a.digest == b.digest && a.package == b.package &&
         a.fingerprint == b.fingerprint && a.from == b.from && a.to == b.to;
}

Result<std::vector<InForce>> lists_of_status(const std::string& status) {
  const auto json = nlohmann::json::parse(status, nullptr, false);
  const auto lists = json.is_object() ? json.find("deny_lists") : json.end();
  if (!json.is_object() || lists == json.end() || !lists->is_array())
    return corrupt(0, "a status without deny lists");
  std::vector<InForce> all;
  for (const auto& list : *lists) {
    const bool is_whole = list.is_object() && list.contains("name") && list["name"].is_string() &&
                          list.contains("serial") && list["serial"].is_number_unsigned();
    if (!is_whole) return corrupt(0, "a status with a deny list that has no name or no serial");
    all.push_back({list["name"].get<std::string>(), list["serial"].get<uint64_t>()});
  }
  return all;
}

std::vector<InForce> without_file(std::vector<InForce> in_force, const std::vector<SignedDenyList>& files) {
  std::erase_if(in_force, [&](const InForce& one) {
    return std::ranges::any_of(files, [&](const SignedDenyList& file) {
      return file.list.name == one.name && file.list.serial >= one.serial;
    });
  });
  return in_force;
}

Result<uint64_t> serial_of_status(const std::string& status, std::string_view name) {
  TRY_ASSIGN(const auto all, lists_of_status(status));
  const auto found = std::ranges::find(all, name, &InForce::name);
  return found == all.end() ? uint64_t{0} : found->serial;
}

Result<void> check_newest(const DenyList& list, uint64_t in_force) {
  if (list.serial >= in_force) return {};
  return invalid(
      fmt::format("serial {} is older than {}, which is in force, so what that one revokes more would count "
                  "again: put the newer file back. To go on from the older one: --force",
                  list.serial, in_force));
}

Result<DenyList> next_list(DenyList list, uint64_t in_force, std::vector<DenyEntry> added) {
  list.serial = std::max(list.serial, in_force) + 1;
  for (DenyEntry& denial : added) {
    std::erase_if(list.denials, [&](const DenyEntry& old) { return same_target(old, denial); });
    list.denials.push_back(std::move(denial));
  }
  TRY_ASSIGN(const Bytes text, write_deny_list(list));
  (void)text;
  return list;
}

Result<DenyList> list_without(DenyList list, uint64_t in_force, const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    const auto gone =
        std::erase_if(list.denials, [&](const DenyEntry& denial) { return is_named(denial, word); });
    if (gone == 0)
      return not_found(escape(word) + ": nothing that this list revokes (see: diglim revoke list)");
  }
  return next_list(std::move(list), in_force, {});
}

Result<DenyEntry> denial_of_digest(std::string_view text) {
  const std::string all = lower(text);
  const size_t colon = all.find(':');
  const std::string hex = colon == std::string::npos ? all : all.substr(colon + 1);
  DenyEntry denial;
  const auto algo = hash_from_name(colon != std::string::npos ? all.substr(0, colon)
                                   : hex.size() == 128        ? "sha512"
                                                              : "sha256");
  auto digest = from_hex(hex);
  if (!algo || !digest || digest->size() != hash_size(*algo))
    return invalid(escape(text, 200) + ": not a digest; sha256:HEX is expected");
  denial.algo = *algo;
  denial.digest = *std::move(digest);
  return denial;
}

Result<std::string> find_fingerprint(const TrustStore& trust, std::string text, bool any) {
  text = lower(text);
  const bool has_kind = text.starts_with("openpgp:") || text.starts_with("x509:");
  if (has_kind && any) return text;
  std::set<std::string> found;
  TRY_ASSIGN(const auto keys, trust.trusted_keys());
  for (const TrustedKey& key : keys) {
    const bool is_it =
        has_kind ? key.fingerprint == text : text.size() >= kLeastDigits && key.fingerprint.ends_with(text);
    if (is_it) found.insert(key.fingerprint);
  }
  if (found.empty())
    return not_found(escape(text) + ": no trusted key has this fingerprint (see: diglim key list)");
  if (found.size() > 1) return invalid(escape(text) + ": several keys; name the whole fingerprint");
  return *found.begin();
}

}  // namespace diglim::revoke
