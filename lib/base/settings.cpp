// SPDX-License-Identifier: Apache-2.0
#include "lib/base/settings.h"

#include <algorithm>
#include <string>

#include "lib/base/error.h"
#include "lib/base/text.h"

namespace diglim {

Result<void> read_settings(
    std::string_view text,
    const std::function<Result<void>(std::string_view key, std::string_view value)>& set) {
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    line = trim(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    const size_t equals = line.find('=');
    const Result<void> done = equals == std::string_view::npos
                                  ? invalid("\"key = value\" expected")
                                  : set(trim(line.substr(0, equals)), trim(line.substr(equals + 1)));
    if (!done) return with_context("line " + std::to_string(number), done.error());
  }
  return {};
}

}  // namespace diglim
