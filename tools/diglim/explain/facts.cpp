// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/explain/facts.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/digest_list/digest_list.h"
#include "lib/rpm/version.h"
#include "tools/diglim/explain/holders.h"
#include "tools/diglim/known/links.h"
#include "tools/diglim/mount_rules.h"
#include "tools/diglim/scan/kind.h"
#include "tools/file_digests.h"

namespace diglim::explain {
namespace {

// Where dnf keeps what it installed or is about to.
constexpr std::string_view kPackageCaches[] = {"/var/cache/dnf", "/var/cache/libdnf5", "/var/cache/yum"};
constexpr size_t kMaxCachedPackages = 200;  // of one name

std::string type_of(const std::string& path, const struct stat& info, ByteView head) {
  if (S_ISDIR(info.st_mode)) return "a directory";
  if (!S_ISREG(info.st_mode)) return "no regular file";
  if (info.st_size == 0) return "an empty file";
  const bool may_run = (info.st_mode & 0111) != 0;
  const std::string_view text = as_text(head);
  if (text.starts_with("#!")) {
    const auto words = split_words(text.substr(2, text.find('\n') - 2));
    return fmt::format("a script for {}{}", words.empty() ? "nothing" : escape(words.front()),
                       may_run ? "" : ", without an x bit");
  }
  switch (scan::kind_of(path, info.st_mode, head)) {
    case scan::Kind::kProgram:
      return "a program";
    case scan::Kind::kLibrary:
      return "a library";
    case scan::Kind::kModule:
      return "a kernel module";
    case scan::Kind::kFirmware:
      return "firmware";
    default:
      return may_run ? "a file with an x bit" : "a file that is neither program nor library";
  }
}

// In which cached package of this name is this content? The first found.
std::optional<OtherVersion> find_version(const Host& host, const known::System& system,
                                         const std::string& nvra, ByteView digest) {
  namespace fs = std::filesystem;
  const std::string name = name_of_package(nvra);
  const auto installed = rpm::split_nevra(nvra);
  size_t looked_at = 0;
  for (const std::string_view cache : kPackageCaches) {
    std::error_code error;
    for (auto entry = fs::recursive_directory_iterator(host.path(cache), error);
         !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
      const std::string file = entry->path().filename().string();
      if (!file.ends_with(".rpm") || name_of_package(file) != name || ++looked_at > kMaxCachedPackages)
        continue;
      const auto list = verify_digest_list_file(entry->path().string(), *system.trust);
      const auto found = list ? list->digests.find(system.algo) : decltype(list->digests.end()){};
      if (!list || found == list->digests.end()) continue;
      const ByteView all = found->second;
      for (size_t at = 0; at < all.size(); at += digest.size()) {
        if (!std::ranges::equal(all.subspan(at, digest.size()), digest)) continue;
        const auto other = rpm::split_nevra(list->name);
        return OtherVersion{list->name,
                            other && installed ? rpm::compare_evr(other->evr, installed->evr) : 0};
      }
    }
  }
  return std::nullopt;
}

// The key of rpm's keyring whose id stands in the verifier's words: names of keys have the last eight digits
// of it.
std::string key_in(const std::string& why, const std::vector<std::string>& rpm_keys) {
  for (const std::string& key : rpm_keys) {
    const std::string id = key.substr(std::min(key.size(), std::strlen("gpg-pubkey-")), 8);
    if (id.size() == 8 && why.find(id) != std::string::npos) return key;
  }
  return {};
}

void add_package(const Host& host, const known::System& system, const std::string& path, Facts& facts) {
  std::optional<uint32_t> package = facts.verdict.package;
  if (!package) {
    const auto shipped = system.shipped.find(path);
    if (shipped != system.shipped.end()) package = shipped->second.package;
  }
  if (!package) return;
  const known::PackageStanding& standing = system.packages[*package];
  facts.package = standing.nvra;
  facts.package_why = standing.why;
  if (standing.cause == known::Cause::kUntrusted) facts.package_key = key_in(standing.why, system.rpm_keys);
  if (facts.verdict.cause == known::Cause::kChanged || facts.verdict.cause == known::Cause::kConfigChanged)
    facts.other = find_version(host, system, standing.nvra, facts.digest);
}

}  // namespace

Facts read_facts(const Host& host, const known::System& system, const std::string& path) {
  Facts facts;
  facts.path = path;
  facts.algo = system.algo;
  const std::string real = host.path(path);
  struct stat info = {};
  facts.exists = stat(real.c_str(), &info) == 0;
  if (!facts.exists) return facts;
  if (const auto mount = host.mount_of(path)) {
    facts.refusal = refusal(*mount);
    facts.mount_point = mount->point;
  }
  Bytes head(256);
  const auto fd = open_file(real, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  const ssize_t got = fd && S_ISREG(info.st_mode) ? pread(fd->get(), head.data(), head.size(), 0) : 0;
  facts.type = type_of(path, info, ByteView(head).first(got > 0 ? static_cast<size_t>(got) : 0));
  if (!S_ISREG(info.st_mode)) return facts;
  const auto digest = fd ? digest_open_file(*fd, real, system.algo) : Result<Bytes>(fd.error());
  if (!digest) {
    facts.unreadable = digest.error().message;
    facts.verdict.cause = known::Cause::kUnreadable;
    return facts;
  }
  facts.digest = *digest;
  const std::string there = known::LinkResolver(host.path("")).resolve(path);
  facts.verdict = known::judge(system, there, facts.digest);
  if (facts.verdict.source) facts.list = system.sources[*facts.verdict.source];
  add_package(host, system, there, facts);
  if (host.is_live()) {
    facts.writers = find_writers(info);
    facts.mappers = find_mappers(info);
  }
  return facts;
}

}  // namespace diglim::explain
