// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/host.h"

#include <unistd.h>

#include <sstream>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "policy/command_line.h"

namespace diglim {
namespace {

// Of a mount namespace with the most mounts that the kernel takes (fs.mount-max), and more.
constexpr size_t kMaxMounts = 1u << 30;

// mountinfo writes space, tab, newline and backslash as \ooo.
std::string unescape_octal(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto digit = [&](size_t at) { return text[at] >= '0' && text[at] <= '7'; };
    if (text[i] == '\\' && i + 3 < text.size() && digit(i + 1) && digit(i + 2) && digit(i + 3)) {
      out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

bool holds(std::string_view point, std::string_view path) {
  if (point == "/") return true;
  return path.starts_with(point) && (path.size() == point.size() || path[point.size()] == '/');
}

}  // namespace

Host::Host(std::string root) : root_(std::move(root)) {
  while (root_.ends_with('/')) root_.pop_back();
}

bool Host::exists(std::string_view absolute) const {
  return access(path(absolute).c_str(), F_OK) == 0;
}

std::optional<std::string> Host::text(std::string_view absolute, size_t max_bytes) const {
  const auto bytes = read_file(path(absolute), max_bytes);
  if (!bytes) return std::nullopt;
  return std::string(trim(as_text(*bytes)));
}

std::vector<std::string> Host::names(std::string_view absolute) const {
  auto names = list_folder(path(absolute));
  if (!names) return {};
  return *std::move(names);
}

std::vector<Mount> Host::mounts() const {
  std::vector<Mount> all;
  std::istringstream lines(text("/proc/self/mountinfo", kMaxMounts).value_or(""));
  for (std::string line; std::getline(lines, line);) {
    // ID PARENT MAJ:MIN ROOT POINT OPTIONS [TAGS...] - TYPE SOURCE SUPER (proc(5))
    const auto words = split_words(line);
    size_t dash = 6;
    while (dash < words.size() && words[dash] != "-") ++dash;
    if (dash + 2 >= words.size()) continue;
    all.push_back({unescape_octal(words[4]), std::string(words[dash + 1]), unescape_octal(words[dash + 2])});
  }
  return all;
}

std::optional<Mount> Host::mount_of(std::string_view absolute) const {
  std::optional<Mount> best;
  for (const Mount& mount : mounts()) {
    if (holds(mount.point, absolute) && (!best || mount.point.size() >= best->point.size())) best = mount;
  }
  return best;
}

std::string Host::command_line() const {
  return text("/proc/cmdline").value_or("");
}

std::optional<std::string> Host::parameter(std::string_view name) const {
  const std::string line = command_line();
  const auto value = split_kernel_line(line).value(name);
  if (!value) return std::nullopt;
  return std::string(*value);
}

std::optional<std::string> Host::kernel_config(std::string_view option) const {
  const auto config = text("/boot/config-" + release());
  if (!config) return std::nullopt;
  std::istringstream lines(*config);
  const std::string prefix = std::string(option) + "=";
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(prefix)) continue;
    std::string value = line.substr(prefix.size());
    if (value.size() >= 2 && value.front() == '"') value = value.substr(1, value.size() - 2);
    return value;
  }
  return "";
}

std::string Host::release() const {
  return text("/proc/sys/kernel/osrelease").value_or("");
}

}  // namespace diglim
