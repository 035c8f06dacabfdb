// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/explain/holders.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <sstream>
#include <string>

#include "lib/base/file.h"
#include "lib/base/text.h"

namespace diglim::explain {
namespace {

constexpr size_t kMaxText = 4u << 20;

std::string text_of(const std::string& path) {
  const auto bytes = read_stream(path, kMaxText);
  return bytes ? std::string(as_text(*bytes)) : std::string();
}

using File = std::pair<dev_t, ino_t>;
using ByFile = std::map<File, std::vector<Holder>>;

// `held_by`: the files that the process with this folder holds.
ByFile read_processes(std::set<File> (*held_by)(const std::string& folder)) {
  ByFile found;
  const auto names = list_folder("/proc");
  if (!names) return found;
  for (const std::string& name : *names) {
    uint32_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc() || end != name.data() + name.size() || pid == static_cast<uint32_t>(getpid()))
      continue;
    const std::string folder = "/proc/" + name;
    const std::set<File> files = held_by(folder);
    if (files.empty()) continue;
    const std::string command(trim(text_of(folder + "/comm")));
    for (const File& file : files) found[file].push_back({pid, command});
  }
  return found;
}

// "flags:  0100002" in fdinfo, octal.
bool is_for_writing(const std::string& info) {
  constexpr std::string_view kFlags = "flags:";
  const size_t at = info.find(kFlags);
  if (at == std::string::npos) return false;
  const auto flags = std::strtoul(info.c_str() + at + kFlags.size(), nullptr, 8);
  return (flags & O_ACCMODE) != O_RDONLY && (flags & O_PATH) == 0;
}

std::set<File> written_by(const std::string& folder) {
  std::set<File> files;
  const auto descriptors = list_folder(folder + "/fd");
  if (!descriptors) return files;
  for (const std::string& fd : *descriptors) {
    struct stat info = {};
    if (stat(fmt::format("{}/fd/{}", folder, fd).c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
        is_for_writing(text_of(fmt::format("{}/fdinfo/{}", folder, fd))))
      files.emplace(info.st_dev, info.st_ino);
  }
  return files;
}

// "55f0-55f1 r-xp 00000000 08:01 1234  /path"
std::set<File> executed_by(const std::string& folder) {
  std::set<File> files;
  std::istringstream lines(text_of(folder + "/maps"));
  for (std::string line; std::getline(lines, line);) {
    const auto words = split_words(line);
    if (words.size() < 6 || words[1].size() < 3 || words[1][2] != 'x') continue;
    unsigned major = 0;
    unsigned minor = 0;
    ino_t inode = 0;
    if (sscanf(line.c_str(), "%*s %*s %*s %x:%x %lu", &major, &minor, &inode) == 3)  // NOLINT(cert-err34-c)
      files.emplace(makedev(major, minor), inode);
  }
  return files;
}

std::vector<Holder> of(const ByFile& holders, const struct stat& file) {
  const auto found = holders.find({file.st_dev, file.st_ino});
  return found == holders.end() ? std::vector<Holder>() : found->second;
}

}  // namespace

std::vector<Holder> Holders::writers(const struct stat& file) {
  if (!writers_) writers_ = read_processes(written_by);
  return of(*writers_, file);
}

std::vector<Holder> Holders::mappers(const struct stat& file) {
  if (!mappers_) mappers_ = read_processes(executed_by);
  return of(*mappers_, file);
}

}  // namespace diglim::explain
