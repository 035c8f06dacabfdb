// SPDX-License-Identifier: Apache-2.0
#include "tools/tool.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "lib/base/text.h"
#include "tools/colour.h"

namespace diglim {
namespace {

constexpr std::string_view kPlain =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./+:@%,=";

}  // namespace

void complain(std::string_view name, std::string_view message) {
  fmt::print(stderr, "{}\n", red(fmt::format("{}: {}", name, message), STDERR_FILENO));
}

std::string shell_word(std::string_view word) {
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string_view::npos) return std::string(word);
  // Only what a terminal shows as it is may stand between plain quotes.
  const bool printable = word.find('\\') == std::string_view::npos && escape(word, word.size()) == word;
  if (printable && word.find('\'') == std::string_view::npos) return fmt::format("'{}'", word);
  std::string out = "$'";
  for (char c : word) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\'' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out + "'";
}

Result<void> make_folder(const std::string& path) {
  if (mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) {
    return from_errno("create directory " + escape(path), errno);
  }
  struct stat info = {};
  if (stat(path.c_str(), &info) != 0) return from_errno("stat " + escape(path), errno);
  if (!S_ISDIR(info.st_mode)) return invalid(escape(path) + " is not a directory");
  return {};
}

}  // namespace diglim
