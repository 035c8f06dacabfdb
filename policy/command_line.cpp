// SPDX-License-Identifier: Apache-2.0
#include "policy/command_line.h"

#include <algorithm>

#include "lib/base/text.h"

namespace diglim {

std::optional<std::string_view> KernelLine::value(std::string_view name) const {
  for (auto word = words.rbegin(); word != words.rend(); ++word) {
    if (word->size() > name.size() && word->starts_with(name) && (*word)[name.size()] == '=')
      return word->substr(name.size() + 1);
  }
  return std::nullopt;
}

KernelLine split_kernel_line(std::string_view line) {
  KernelLine split;
  split.words = split_words(line);
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
