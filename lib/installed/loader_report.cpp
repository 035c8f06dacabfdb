// SPDX-License-Identifier: Apache-2.0
#include "lib/installed/loader_report.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>

#include "lib/base/text.h"
#include "lib/digest_list/rpm_list.h"

namespace diglim {
namespace {

constexpr size_t kMaxNames = 5;
constexpr size_t kKeyIdBytes = 16;
constexpr std::string_view kNotTrusted = ": no trusted key has this id";
constexpr std::string_view kAdvice = "to trust a key: ";
constexpr std::string_view kNoDigest = " of its files have no ";

std::string package_of(const std::string& list) {
  return escape(list.starts_with(kRpmListPrefix) ? list.substr(kRpmListPrefix.size()) : list);
}

// The id of the key, if nothing but that it is not trusted keeps the list from counting. Of several
// signatures each has its part, "RSA/SHA256 ID: no trusted key has this id; ".
std::optional<std::string> missing_key(std::string_view reason) {
  std::optional<std::string> first;
  while (!reason.empty() && !reason.starts_with(kAdvice)) {
    const size_t end = std::min(reason.find("; "), reason.size());
    const std::string_view part = reason.substr(0, end);
    reason.remove_prefix(std::min(end + 2, reason.size()));
    if (!part.ends_with(kNotTrusted)) return std::nullopt;
    const std::string_view signer = part.substr(0, part.size() - kNotTrusted.size());
    const size_t at = signer.rfind(' ') + 1;
    if (signer.size() - at != kKeyIdBytes) return std::nullopt;
    if (!first) first = std::string(signer.substr(at));
  }
  return first;
}

std::string names_text(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kMaxNames); ++i) text += (i > 0 ? ", " : "") + names[i];
  if (names.size() > kMaxNames) text += " and " + std::to_string(names.size() - kMaxNames) + " more";
  return text;
}

std::string key_text(const std::string& id, const std::vector<std::string>& names, const ReportWords& words) {
  const std::string who = words.name_of_key ? words.name_of_key(id) : "";
  const bool one = names.size() == 1;
  return (one ? names[0] + " is" : std::to_string(names.size()) + " packages are") + " signed by key " + id +
         (who.empty() ? "" : " (" + escape(who, 100) + ")") + ", which DIGLIM does not trust" +
         (one ? "" : ": " + names_text(names)) + "; " + (one ? "its" : "their") +
         " files will be denied. To trust it from the next boot on: diglim key add " + id;
}

std::string digests_text(const std::string& kind, const std::string& algo,
                         const std::vector<std::string>& names) {
  return names_text(names) + (names.size() == 1 ? " lists its" : " list their") + " files " + kind +
         ", and this kernel uses " + algo + ": they will be denied. Rebuild the package" +
         (names.size() == 1 ? "" : "s") + ", or allow single files: compact_gen -d /etc/digest_lists -i FILE";
}

}  // namespace

std::vector<std::string> report_lists(const std::vector<std::string>& lines,
                                      const std::set<std::string>& ours, const ReportWords& words) {
  std::map<std::string, std::vector<std::string>> by_key;
  std::map<std::pair<std::string, std::string>, std::vector<std::string>> by_digests;
  std::vector<std::string> others;
  for (std::string_view line : lines) {
    for (const std::string_view part : {"diglim-loader sync: ", "left out ", "./"}) {
      if (line.starts_with(part)) line.remove_prefix(part.size());
    }
    const auto list = std::ranges::find_if(
        ours, [&](const std::string& name) { return line.starts_with(escape(name) + ": "); });
    if (list == ours.end()) continue;
    const std::string_view reason = line.substr(escape(*list).size() + 2);
    const size_t at = reason.find(kNoDigest);
    if (const auto id = missing_key(reason)) {
      by_key[*id].push_back(package_of(*list));
    } else if (at != std::string_view::npos && words.digest_kind) {
      const std::string_view rest = reason.substr(at + kNoDigest.size());
      by_digests[{words.digest_kind(*list), std::string(rest.substr(0, rest.find(' ')))}].push_back(
          package_of(*list));
    } else {
      others.emplace_back(line);
    }
  }
  std::vector<std::string> texts;
  for (const auto& [id, names] : by_key) texts.push_back(key_text(id, names, words));
  for (const auto& [digests, names] : by_digests)
    texts.push_back(digests_text(digests.first, digests.second, names));
  for (size_t i = 0; i < std::min(others.size(), kMaxOtherLines); ++i) texts.push_back(others[i]);
  if (others.size() > kMaxOtherLines) {
    texts.push_back("and " + std::to_string(others.size() - kMaxOtherLines) +
                    " more; see: diglim-loader verify");
  }
  return texts;
}

}  // namespace diglim
