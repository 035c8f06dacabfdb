// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/measure/json_sequence.h"

#include "lib/base/text.h"

namespace diglim {

Result<std::vector<nlohmann::json>> read_json_sequence(std::string_view text) {
  std::vector<nlohmann::json> records;
  while (!text.empty()) {
    const size_t end = text.find(kRecordSeparator);
    const std::string_view record = trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (record.empty()) continue;
    records.push_back(nlohmann::json::parse(record, nullptr, false));
    if (!records.back().is_object())
      return Error{ErrorCode::kCorrupt, 0, "record " + std::to_string(records.size()) + ": no JSON object"};
  }
  return records;
}

}  // namespace diglim
