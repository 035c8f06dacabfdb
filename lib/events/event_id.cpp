// SPDX-License-Identifier: Apache-2.0
#include "lib/events/event_id.h"

#include <algorithm>

#include "lib/base/file.h"

namespace diglim {
namespace {

constexpr size_t kBootDigits = 8;
constexpr size_t kMostDigits = 20;  // of 64 bits

bool is_number(std::string_view text) {
  return !text.empty() && text.size() <= kMostDigits &&
         text.find_first_not_of("0123456789") == std::string_view::npos && text[0] != '0';
}

bool is_boot(std::string_view text) {
  return text.size() == kBootDigits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

std::string read_boot() {
  const auto id = read_stream("/proc/sys/kernel/random/boot_id", 64);
  return boot_prefix(id ? as_text(*id) : std::string_view());
}

std::string boot_prefix(std::string_view boot_id) {
  const std::string boot(boot_id.substr(0, kBootDigits));
  return is_boot(boot) ? boot : std::string(kBootDigits, '0');
}

std::string event_id(std::string_view boot, uint64_t number) {
  return number == 0 ? std::string() : std::string(boot) + "-" + std::to_string(number);
}

std::optional<std::string> find_event_id(std::string_view text, std::string_view boot) {
  if (is_number(text)) return std::string(boot) + "-" + std::string(text);
  const size_t dash = text.find('-');
  if (dash == std::string_view::npos || !is_boot(text.substr(0, dash)) || !is_number(text.substr(dash + 1)))
    return std::nullopt;
  return std::string(text);
}

}  // namespace diglim
