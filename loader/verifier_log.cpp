// SPDX-License-Identifier: Apache-2.0
#include "loader/verifier_log.h"

#include "lib/base/text.h"

namespace diglim {
namespace {

constexpr std::string_view kBegin = "-- BEGIN PROG LOAD LOG --";
constexpr std::string_view kEnd = "-- END PROG LOAD LOG --";
constexpr std::string_view kStatistics = "processed ";
constexpr int kLines = 3;
constexpr size_t kMaxBytes = 400;

}  // namespace

std::string end_of_verifier_log(std::string_view text) {
  const size_t begin = text.find(kBegin);
  if (begin == std::string_view::npos) return {};
  text.remove_prefix(begin + kBegin.size());
  text = text.substr(0, text.rfind(kEnd));
  std::string result;
  for (int lines = 0; lines < kLines && !text.empty();) {
    const size_t end = text.rfind('\n');
    const std::string_view line = end == std::string_view::npos ? text : text.substr(end + 1);
    text = end == std::string_view::npos ? std::string_view() : text.substr(0, end);
    if (line.empty() || line.starts_with(kStatistics)) continue;
    result = escape(line) + (result.empty() ? "" : " | " + result);
    ++lines;
  }
  return result.size() > kMaxBytes ? "..." + result.substr(result.size() - kMaxBytes) : result;
}

}  // namespace diglim
