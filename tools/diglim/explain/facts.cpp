// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/explain/facts.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/utsname.h>
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
#include "tools/diglim/explain/open.h"
#include "tools/diglim/mount_rules.h"
#include "tools/diglim/scan/kind.h"
#include "tools/file_digests.h"

namespace diglim::explain {
namespace {

// Where dnf keeps what it installed or is about to.
constexpr std::string_view kPackageCaches[] = {"/var/cache/dnf", "/var/cache/libdnf5", "/var/cache/yum"};
constexpr size_t kMaxCachedPackages = 200;  // of one name

constexpr off_t kMostHashed = off_t{4} << 30;  // as in bpf/content.bpf.h

std::string type_of(const std::string& path, const struct stat& info, ByteView head) {
  if (S_ISDIR(info.st_mode)) return "a directory";
  if (!S_ISREG(info.st_mode)) return "no regular file";
  if (info.st_size == 0) return "an empty file";
  const bool may_run = (info.st_mode & 0111) != 0;
  const std::string_view text = as_text(head);
  if (text.starts_with("#!")) {
    const std::string interpreter = interpreter_of(head);
    return fmt::format("a script for {}{}", interpreter.empty() ? "nothing" : escape(interpreter),
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
  if (const auto shipped = system.shipped.find(path); shipped != system.shipped.end())
    facts.shipped_size = shipped->second.size;
  const known::PackageStanding& standing = system.packages[*package];
  facts.package = standing.nvra;
  facts.package_why = standing.why;
  if (standing.cause == known::Cause::kUntrusted) facts.package_key = key_in(standing.why, system.rpm_keys);
  if (facts.verdict.cause == known::Cause::kChanged || facts.verdict.cause == known::Cause::kConfigChanged)
    facts.other = find_version(host, system, standing.nvra, facts.digest);
}

bool asks_for_writers(const Denial* denial) {
  return denial == nullptr || denial->reason == DIGLIM_REASON_UNKNOWN ||
         denial->reason == DIGLIM_REASON_WRITER || denial->reason == DIGLIM_REASON_CHANGED;
}

Bytes read_at(const Fd& fd, uint64_t offset, size_t size) {
  Bytes bytes(size);
  const ssize_t got = pread(fd.get(), bytes.data(), size, static_cast<off_t>(offset));
  bytes.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return bytes;
}

std::string this_machine() {
  utsname name = {};
  return uname(&name) == 0 ? name.machine : "";
}

// Would the kernel let the interpreter of the script, or the dynamic linker of the program, run?
void judge_interpreter(const Host& host, const known::System& system, Facts& facts) {
  if (!facts.interpreter.starts_with('/')) return;
  facts.interpreter = follow_links(host.path(""), facts.interpreter);
  const auto named = find_named(host.path(""), facts.interpreter);
  // An image may be without what its host brings.
  facts.interpreter_missing = host.is_live() && !named && named.error().code == ErrorCode::kNotFound;
  if (!named || !S_ISREG(named->info.st_mode) || named->info.st_size > kMostHashed) return;
  const auto fd = open_named(*named, facts.interpreter);
  const auto digest = fd ? digest_open_file(*fd, facts.interpreter, system.algo) : Result<Bytes>(fd.error());
  if (digest) facts.interpreter_cause = known::judge(system, facts.interpreter, *digest).cause;
}

// False: there is nothing to judge.
bool read_content(const Host& host, HashAlgo algo, const std::string& path, const Named& named,
                  Facts& facts) {
  const struct stat& info = named.info;
  Bytes head(1024);
  const auto fd = S_ISREG(info.st_mode) ? open_named(named, host.path(path)) : Result<Fd>(Fd());
  const ssize_t got = fd && *fd ? pread(fd->get(), head.data(), head.size(), 0) : 0;
  head.resize(got > 0 ? static_cast<size_t>(got) : 0);
  facts.type = type_of(path, info, head);
  facts.tool = config_tool(head);
  facts.interpreter = interpreter_of(head);
  facts.size = static_cast<uint64_t>(info.st_size);
  facts.written_at = static_cast<uint64_t>(info.st_mtim.tv_sec);
  if (fd && *fd)
    facts.elf = read_elf([&](uint64_t offset, size_t size) { return read_at(*fd, offset, size); });
  // What an emulator makes of another machine's, nobody knows here.
  if (facts.elf && other_machine(*facts.elf, facts.machine).empty())
    facts.interpreter = facts.elf->interpreter;
  facts.too_large = S_ISREG(info.st_mode) && info.st_size > kMostHashed;
  if (!S_ISREG(info.st_mode) || facts.too_large) return false;
  const auto digest = fd ? digest_open_file(*fd, host.path(path), algo) : Result<Bytes>(fd.error());
  if (digest)
    facts.digest = *digest;
  else
    facts.unreadable = digest.error().message;
  return bool(digest);
}

}  // namespace

Facts read_facts(const Host& host, const known::System& system, const Denial* denial, const std::string& path,
                 Holders& holders) {
  Facts facts;
  facts.path = path;
  facts.algo = system.algo;
  if (path.empty() || (denial != nullptr && denial->path_cut)) return facts;
  const auto named = find_named(host.path(""), path);
  facts.exists = named || named.error().code != ErrorCode::kNotFound;
  if (!named) facts.unreadable = named.error().message;
  if (!facts.exists) return facts;
  if (const auto mount = host.mount_of(path)) {
    facts.refusal = refusal(*mount);
    facts.mount_point = mount->point;
    // What a file system in user space says of owners is its maker's word.
    facts.only_root = named && named->only_root && !mount->type.starts_with("fuse");
  } else {
    facts.only_root = named && named->only_root;
  }
  if (host.is_live()) facts.machine = this_machine();  // of another system it is not known
  if (!named || !read_content(host, system.algo, path, *named, facts)) {
    if (!facts.unreadable.empty()) facts.verdict.cause = known::Cause::kUnreadable;
    return facts;
  }
  facts.verdict = known::judge(system, path, facts.digest);
  if (facts.verdict.source) facts.list = system.sources[*facts.verdict.source];
  judge_interpreter(host, system, facts);
  add_package(host, system, path, facts);
  if (!host.is_live()) return facts;
  if (asks_for_writers(denial)) facts.writers = holders.writers(named->info);
  if (denial != nullptr && denial->reason == DIGLIM_REASON_MAPPED)
    facts.mappers = holders.mappers(named->info);
  return facts;
}

}  // namespace diglim::explain
