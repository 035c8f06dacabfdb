// SPDX-License-Identifier: Apache-2.0
#include "tools/colour.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace diglim {
namespace {

bool has_colours(int fd) {
  const char* none = std::getenv("NO_COLOR");  // no-color.org: not empty
  const char* terminal = std::getenv("TERM");
  return isatty(fd) == 1 && (none == nullptr || *none == '\0') && terminal != nullptr &&
         std::string_view(terminal) != "dumb";
}

std::string between(std::string_view code, std::string_view text, int fd) {
  if (!has_colours(fd)) return std::string(text);
  return std::string("\033[").append(code).append("m").append(text).append("\033[0m");
}

}  // namespace

std::string bold(std::string_view text) {
  return between("1", text, STDOUT_FILENO);
}

std::string red(std::string_view text, int fd) {
  return between("31", text, fd);
}

std::string advice_bold(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    const std::string_view words = line.substr(std::min(line.find_first_not_of(' '), line.size()));
    out += words.starts_with("to do") ? bold(line) : std::string(line);
    text.remove_prefix(line.size());
    if (text.empty()) break;
    out += '\n';
    text.remove_prefix(1);
  }
  return out;
}

}  // namespace diglim
