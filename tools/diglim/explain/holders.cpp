// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/explain/holders.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <functional>
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

std::vector<Holder> find(const std::function<bool(const std::string& folder)>& holds) {
  std::vector<Holder> found;
  const auto names = list_folder("/proc");
  if (!names) return found;
  for (const std::string& name : *names) {
    uint32_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc() || end != name.data() + name.size() || pid == static_cast<uint32_t>(getpid()))
      continue;
    const std::string folder = "/proc/" + name;
    if (holds(folder)) found.push_back({pid, std::string(trim(text_of(folder + "/comm")))});
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

}  // namespace

std::vector<Holder> find_writers(const struct stat& file) {
  return find([&](const std::string& folder) {
    const auto descriptors = list_folder(folder + "/fd");
    if (!descriptors) return false;
    return std::ranges::any_of(*descriptors, [&](const std::string& fd) {
      struct stat info = {};
      return stat(fmt::format("{}/fd/{}", folder, fd).c_str(), &info) == 0 && info.st_dev == file.st_dev &&
             info.st_ino == file.st_ino && is_for_writing(text_of(fmt::format("{}/fdinfo/{}", folder, fd)));
    });
  });
}

std::vector<Holder> find_mappers(const struct stat& file) {
  // "55f0-55f1 r-xp 00000000 08:01 1234  /path"
  const std::string wanted =
      fmt::format(" {:02x}:{:02x} {} ", major(file.st_dev), minor(file.st_dev), file.st_ino);
  return find([&](const std::string& folder) {
    std::istringstream lines(text_of(folder + "/maps"));
    for (std::string line; std::getline(lines, line);) {
      const size_t modes = line.find(' ');
      if (modes != std::string::npos && line.size() > modes + 3 && line[modes + 3] == 'x' &&
          line.find(wanted) != std::string::npos)
        return true;
    }
    return false;
  });
}

}  // namespace diglim::explain
