// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/key/sources.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <sstream>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/librpm/database.h"
#include "lib/librpm/keyring.h"

namespace diglim::key {
namespace {

constexpr size_t kMaxRepositoryBytes = 1u << 20;
constexpr size_t kMaxVariableBytes = 4096;
constexpr std::string_view kFileUrl = "file://";
constexpr std::string_view kNameCharacters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

using Variables = std::map<std::string, std::string, std::less<>>;

// dnf's: of the files in etc/dnf/vars, and those that it finds out itself.
Variables read_variables(const Places& places) {
  Variables variables;
  utsname machine = {};
  if (uname(&machine) == 0) variables["basearch"] = variables["arch"] = machine.machine;
  const auto release = read_file(places.root + "/etc/os-release", kMaxRepositoryBytes);
  std::istringstream lines{release ? std::string(as_text(*release)) : ""};
  for (std::string line; std::getline(lines, line);) {
    constexpr std::string_view kVersion = "VERSION_ID=";
    if (!line.starts_with(kVersion)) continue;
    line.erase(0, kVersion.size());
    std::erase(line, '"');
    variables["releasever"] = line.substr(0, line.find('.'));  // of RHEL 9.4 it is 9
  }
  if (const auto database = find_rpm_database(places.root, places.dbpath)) {
    const auto version = provided_version(*database, "system-release(releasever)");
    if (version && !version->empty()) variables["releasever"] = *version;
  }
  const std::string folder = places.root + "/etc/dnf/vars";
  const auto names = list_folder(folder);
  for (const std::string& name : names ? *names : std::vector<std::string>()) {
    const auto value = read_file(folder + "/" + name, kMaxVariableBytes);
    if (!value) continue;
    const std::string_view text = as_text(*value);
    variables[name] = trim(text.substr(0, text.find('\n')));
  }
  const std::string version = variables["releasever"];
  const size_t dot = version.find('.');
  (void)variables.emplace("releasever_major", version.substr(0, dot));
  (void)variables.emplace("releasever_minor", dot == std::string::npos ? "" : version.substr(dot + 1));
  return variables;
}

// "$releasever" and "${releasever}", by its whole name; what is not known stays.
std::string expand(std::string_view text, const Variables& variables) {
  std::string result;
  while (!text.empty()) {
    const bool has_braces = text.starts_with("${");
    const size_t begin = has_braces ? 2 : 1;
    const size_t end = std::min(text.find_first_not_of(kNameCharacters, begin), text.size());
    const bool is_name = text.front() == '$' && (!has_braces || text.substr(end).starts_with('}'));
    const auto found = is_name ? variables.find(text.substr(begin, end - begin)) : variables.end();
    result += found == variables.end() ? std::string(1, text.front()) : found->second;
    text.remove_prefix(found == variables.end() ? 1 : end + (has_braces ? 1 : 0));
  }
  return result;
}

// The words of "gpgkey=A B" and of the lines after it that begin with a blank.
struct Repository {
  std::string id;
  std::vector<std::string> keys;
};

std::vector<Repository> read_repositories(const std::string& root) {
  std::vector<Repository> repositories;
  const std::string folder = root + "/etc/yum.repos.d";
  const auto files = list_folder(folder);
  for (const std::string& file : files ? *files : std::vector<std::string>()) {
    if (!file.ends_with(".repo")) continue;
    const auto text = read_file(folder + "/" + file, kMaxRepositoryBytes);
    std::istringstream lines{text ? std::string(as_text(*text)) : ""};
    bool of_keys = false;
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with('[') && line.find(']') != std::string::npos)
        repositories.push_back({line.substr(1, line.find(']') - 1), {}});
      const bool goes_on = line.starts_with(' ') || line.starts_with('\t');
      of_keys = line.starts_with("gpgkey") || (of_keys && goes_on);
      if (!of_keys || repositories.empty()) continue;
      std::string words = goes_on ? line : line.substr(std::min(line.find('='), line.size() - 1) + 1);
      std::ranges::replace(words, ',', ' ');
      for (const std::string_view word : split_words(words)) repositories.back().keys.emplace_back(word);
    }
  }
  return repositories;
}

void add_unless_there(std::vector<KeyFile>& files, KeyFile file) {
  const auto same = [&](const KeyFile& other) { return other.content == file.content; };
  if (std::ranges::none_of(files, same)) files.push_back(std::move(file));
}

}  // namespace

Result<KeyFile> key_file(std::string name, std::string origin, Bytes content) {
  TRY_ASSIGN(auto keys, read_keys(content));
  return KeyFile{std::move(name), std::move(origin), std::move(content), std::move(keys)};
}

Result<Found> keys_of_rpm(const Places& places) {
  Found found;
  const auto database = find_rpm_database(places.root, places.dbpath);
  if (!database) return found;
  TRY_ASSIGN(const auto keys, read_rpm_keys(*database));
  for (const RpmKey& one : keys) {
    if (one.name.find('/') != std::string::npos) continue;
    const std::string text = one.armor + (one.armor.ends_with('\n') ? "" : "\n");
    auto file = key_file(one.name + ".asc", "rpm " + one.name, to_bytes(as_bytes(text)));
    if (file) found.files.push_back(*std::move(file));
  }
  return found;
}

Found keys_of_repositories(const Places& places, const std::string& id, bool& known) {
  Found found;
  known = false;
  const Variables variables = read_variables(places);
  for (const Repository& repository : read_repositories(places.root)) {
    if (!id.empty() && repository.id != id) continue;
    known = true;
    for (const std::string& word : repository.keys) {
      const std::string url = expand(word, variables);
      if (!url.starts_with(kFileUrl)) {
        found.urls.push_back(url);
        continue;
      }
      const std::string path = url.substr(kFileUrl.size());
      auto content = read_file(places.root + path, kMaxKeyBytes);
      auto file = content ? key_file(path.substr(path.rfind('/') + 1),
                                     escape(path) + " of repository " + escape(repository.id, 100),
                                     *std::move(content))
                          : Result<KeyFile>(content.error());
      if (file)
        add_unless_there(found.files, *std::move(file));
      else
        found.unread.push_back(fmt::format("{} of repository {}: {}", escape(path),
                                           escape(repository.id, 100), file.error().message));
    }
  }
  return found;
}

Result<Found> keys_of_others(const Places& places) {
  TRY_ASSIGN(Found found, keys_of_rpm(places));
  bool known = false;
  Found repositories = keys_of_repositories(places, "", known);
  std::ranges::move(repositories.files, std::back_inserter(found.files));
  found.unread = std::move(repositories.unread);
  return found;
}

Result<KeyFile> find_key(const std::vector<KeyFile>& files, const std::string& text) {
  const std::string wanted = fingerprint_of(text);
  const KeyFile* first = nullptr;
  std::string fingerprint;
  for (const KeyFile& file : files) {
    const bool by_name = file.origin == "rpm " + text;
    for (const KeyInfo& one : file.keys) {
      if (!by_name && !is_named(one, wanted)) continue;
      if (first != nullptr && one.fingerprint != fingerprint && !by_name)
        return invalid("several keys have the id " + escape(text) + ": give a fingerprint (diglim key list)");
      if (first != nullptr) continue;
      first = &file;
      fingerprint = one.fingerprint;
    }
  }
  if (first == nullptr) {
    return not_found(escape(text) +
                     ": neither a file, nor a key of rpm or of a repository (see: diglim key list)");
  }
  return *first;
}

bool names_a_key(const std::string& text) {
  const std::string digits = fingerprint_of(text);
  return text.starts_with("gpg-pubkey-") ||
         (digits.size() >= 8 && digits.find_first_not_of("0123456789abcdef") == std::string::npos);
}

std::string fingerprint_of(std::string_view text) {
  std::string result;
  if (text.starts_with("0x")) text.remove_prefix(2);
  for (const char c : text) {
    if (c == ' ' || c == ':') continue;
    result += c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return result;
}

}  // namespace diglim::key
