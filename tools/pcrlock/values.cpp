// SPDX-License-Identifier: Apache-2.0
#include "tools/pcrlock/values.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace diglim::pcrlock {

Values read_values(const std::string& text) {
  using nlohmann::json;
  Values found;
  const json whole = json::parse(text, nullptr, false);
  const json registers = whole.is_object() ? whole.value("pcrValues", whole.value("sha256", json())) : json();
  if (!registers.is_array()) return found;
  for (const json& entry : registers) {
    if (!entry.is_object()) continue;
    const json pcr = entry.value("pcr", json());
    if (!pcr.is_number_unsigned()) continue;
    auto& values = found[pcr.get<unsigned>()];
    for (const json& value : entry.value("values", json())) {
      if (value.is_string()) values.push_back(value.get<std::string>());
    }
  }
  return found;
}

bool is_zero(std::string_view hex) {
  return hex.find_first_not_of('0') == std::string_view::npos;
}

bool knows_initramfs(const Values& values) {
  return std::ranges::any_of(values, [](const auto& entry) {
    return (entry.first == 9 || entry.first == 11) && !entry.second.empty() &&
           std::ranges::none_of(entry.second, is_zero);
  });
}

}  // namespace diglim::pcrlock
