// SPDX-License-Identifier: Apache-2.0
#include "policy/command_line.h"

#include <algorithm>

namespace diglim {

std::vector<std::string_view> kernel_words(std::string_view line) {
  std::vector<std::string_view> words;
  size_t start = 0;
  bool quoted = false;
  for (size_t at = 0; at <= line.size(); ++at) {
    if (at < line.size() && line[at] == '"') quoted = !quoted;
    const bool ends = at == line.size() || (!quoted && std::string_view(" \t\n\v\f\r\xa0").find(line[at]) !=
                                                           std::string_view::npos);
    if (!ends) continue;
    if (at > start) words.push_back(line.substr(start, at - start));
    start = at + 1;
  }
  return words;
}

std::optional<std::string_view> KernelLine::value(std::string_view name) const {
  for (auto word = words.rbegin(); word != words.rend(); ++word) {
    if (word->size() > name.size() && word->starts_with(name) && (*word)[name.size()] == '=')
      return word->substr(name.size() + 1);
  }
  return std::nullopt;
}

KernelLine split_kernel_line(std::string_view line) {
  KernelLine split;
  split.words = kernel_words(line);
  const auto dashes = std::find(split.words.begin(), split.words.end(), "--");
  if (dashes != split.words.end()) split.arguments.assign(dashes + 1, split.words.end());
  split.words.erase(dashes, split.words.end());
  return split;
}

HashAlgo ima_hash(std::string_view line) {
  const auto name = split_kernel_line(line).value("ima_hash");
  return (name ? hash_from_name(*name) : std::nullopt).value_or(HashAlgo::kSha256);
}

}  // namespace diglim
