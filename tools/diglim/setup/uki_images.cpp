// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/setup/uki_images.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <sstream>

#include "lib/base/text.h"

namespace diglim::setup {

std::string uki_setting(const std::string& text, std::string_view name) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const size_t equals = line.find('=');
    if (equals != std::string::npos && trim(std::string_view(line).substr(0, equals)) == name)
      return std::string(trim(std::string_view(line).substr(equals + 1)));
  }
  return {};
}

std::vector<std::string> signed_images(const Host& host, const std::string& esp) {
  std::vector<std::string> found;
  if (esp.empty()) return found;
  const auto add = [&](const std::string& folder, std::string_view begin, std::string_view end) {
    for (const std::string& name : host.names(folder)) {
      struct stat info = {};
      const std::string path = folder + "/" + name;
      if (name.starts_with(begin) && name.ends_with(end) && stat(host.path(path).c_str(), &info) == 0 &&
          S_ISREG(info.st_mode))
        found.push_back(path);
    }
  };
  add(esp + "/EFI/Linux", "diglim-", ".efi");
  add(esp + "/EFI/diglim", "", "-previous.efi");
  return found;
}

std::optional<std::string> image_stamp(const Host& host, const std::string& image) {
  struct stat info = {};
  if (stat(host.path(image).c_str(), &info) != 0) return std::nullopt;
  return fmt::format("{} {} {}", info.st_mtim.tv_sec, info.st_size, image);
}

}  // namespace diglim::setup
