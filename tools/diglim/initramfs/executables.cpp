// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/initramfs/executables.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <string_view>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "tools/file_digests.h"

namespace diglim::initramfs {
namespace {

// dracut sources them; and some it makes itself, so no list can have them.
constexpr std::string_view kHooks[] = {"/usr/lib/dracut/hooks/", "/lib/dracut/hooks/",
                                       "/var/lib/dracut/hooks/"};
constexpr std::string_view kFirmware[] = {"/usr/lib/firmware/", "/lib/firmware/"};
constexpr std::string_view kModules[] = {".ko", ".ko.gz", ".ko.xz", ".ko.zst"};

bool is_elf(const std::string& path) {
  const auto fd = open_file(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
  char magic[4] = {};
  return fd && pread(fd->get(), magic, sizeof magic, 0) == sizeof magic &&
         std::string_view(magic, sizeof magic) == "\177ELF";
}

bool is_executable(const std::string& real, std::string_view path, const struct stat& info) {
  const auto begins = [&](std::string_view prefix) { return path.starts_with(prefix); };
  const auto ends = [&](std::string_view suffix) { return path.ends_with(suffix); };
  if (info.st_size == 0 || std::ranges::any_of(kHooks, begins)) return false;
  return (info.st_mode & 0111) != 0 || std::ranges::any_of(kFirmware, begins) ||
         std::ranges::any_of(kModules, ends) || is_elf(real);
}

}  // namespace

Result<std::vector<Executable>> find_executables(const std::string& root, HashAlgo algo) {
  std::vector<Executable> found;
  std::vector<std::string> waiting = {""};
  while (!waiting.empty()) {
    const std::string folder = std::move(waiting.back());
    waiting.pop_back();
    TRY_ASSIGN(const std::vector<std::string> names, list_folder(root + folder + "/"));
    for (const std::string& name : names) {
      std::string path = folder + "/" + name;
      struct stat info = {};
      if (lstat((root + path).c_str(), &info) != 0) return from_errno("stat " + escape(root + path), errno);
      if (S_ISDIR(info.st_mode)) waiting.push_back(path);
      if (!S_ISREG(info.st_mode) || !is_executable(root + path, path, info)) continue;
      TRY_ASSIGN(Bytes digest, digest_file(root + path, algo));
      found.push_back({std::move(path), std::move(digest)});
    }
  }
  std::ranges::sort(found, {}, &Executable::path);
  return found;
}

Choice choose_lists(const std::vector<Executable>& files, const std::vector<std::set<Bytes>>& lists) {
  std::map<Bytes, std::vector<size_t>> having;  // digest -> the lists that have it, ascending
  for (const Executable& file : files) having.try_emplace(file.digest);
  for (auto& [digest, owners] : having) {
    for (size_t i = 0; i < lists.size(); ++i) {
      if (lists[i].contains(digest)) owners.push_back(i);
    }
  }
  std::set<size_t> chosen;
  for (const auto& [digest, owners] : having) {
    if (owners.size() == 1) chosen.insert(owners.front());
  }
  for (const auto& [digest, owners] : having) {
    const bool covered = std::ranges::any_of(owners, [&](size_t i) { return chosen.contains(i); });
    if (!covered && !owners.empty()) chosen.insert(owners.front());
  }
  Choice choice;
  choice.lists.assign(chosen.begin(), chosen.end());
  for (size_t i = 0; i < files.size(); ++i) {
    if (having[files[i].digest].empty()) choice.uncovered.push_back(i);
  }
  return choice;
}

}  // namespace diglim::initramfs
