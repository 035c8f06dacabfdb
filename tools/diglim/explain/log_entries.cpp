// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <syslog.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "lib/base/text.h"
#include "tools/diglim/explain/log.h"
#include "tools/tool.h"

namespace diglim::explain {
namespace {

constexpr std::string_view kTag = "diglim: ";
constexpr std::string_view kDenials[] = {"denied ", "would deny "};
// What the keeper says of denials without a line (loader/keeper.cpp).
constexpr std::string_view kNotLogged[] = {" denials not logged: ", " events were lost: "};

bool is_denial(std::string_view text) {
  return std::ranges::any_of(kDenials, [&](std::string_view begin) { return text.starts_with(begin); });
}

uint64_t take_number(std::string_view& text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return error == std::errc() ? number : 0;
}

bool counts(uint64_t time_us, uint64_t since) {
  return time_us == 0 || time_us / 1'000'000 >= since;
}

uint64_t sum(const std::vector<LeftOut>& all, uint64_t since) {
  uint64_t denials = 0;
  for (const LeftOut& one : all)
    if (counts(one.time_us, since)) denials += one.denials;
  return denials;
}

}  // namespace

const LoggedDenial* find_event(const Log& log, std::string_view id) {
  if (id.empty()) return nullptr;  // lines of an older version have none
  const auto found =
      std::ranges::find_if(log.denials, [&](const LoggedDenial& one) { return one.denial.event == id; });
  return found == log.denials.end() ? nullptr : &*found;
}

void add_message(Log& log, std::string_view message, uint64_t time_us) {
  if (is_denial(message)) {
    if (auto denial = parse_denial(message))
      log.denials.push_back({*std::move(denial), time_us, {}});
    else
      log.not_understood.push_back({1, time_us});
    return;
  }
  const uint64_t number = take_number(message);
  if (std::ranges::any_of(kNotLogged, [&](std::string_view words) { return message.starts_with(words); }))
    log.not_logged.push_back({number, time_us});
}

// "14,1234,5678901,-;diglim: ...": facility and priority, number, microseconds since the boot. Of facility 0
// are the kernel's own lines, which have text of users in them; only root can write one of another facility.
void add_record(Log& log, std::string_view record, uint64_t boot_us) {
  const uint64_t priority = take_number(record);
  if ((priority & LOG_FACMASK) == LOG_KERN || !record.starts_with(',')) return;
  record.remove_prefix(1);
  (void)take_number(record);
  if (!record.starts_with(',')) return;
  record.remove_prefix(1);
  const uint64_t since_us = take_number(record);
  const size_t head = record.find(';');
  if (head == std::string_view::npos) return;
  record.remove_prefix(head + 1);
  record = record.substr(0, record.find('\n'));
  const auto plain = unescape(record);  // the kernel escapes what is not printable, and the backslash
  std::string_view text = plain ? std::string_view(*plain) : record;
  if (!text.starts_with(kTag)) return;
  add_message(log, text.substr(kTag.size()), boot_us + since_us);
}

void add_line(Log& log, std::string_view line) {
  if (line.starts_with('{') && add_event(log, line)) return;
  const auto said = without_origin(line);
  if (said || is_denial(line)) return add_message(log, said.value_or(line), 0);
  // An origin that is not known, or the kernel quotes somebody: not believed, and not hidden either.
  for (const std::string_view begin : kDenials) {
    if (line.find(std::string(kTag).append(begin)) == std::string_view::npos) continue;
    log.not_understood.push_back({1, 0});
    return;
  }
}

bool complain_of_missing(std::string_view tool, const Log& log, uint64_t since) {
  if (!log.complaint.empty()) complain(tool, log.complaint);
  const uint64_t cut = sum(log.not_understood, since);
  if (cut > 0)
    complain(tool, fmt::format("{} denials in {} are cut, of another version, or not DIGLIM's: left out", cut,
                               log.source));
  const uint64_t not_logged = sum(log.not_logged, since);
  if (not_logged > 0)
    complain(tool,
             fmt::format("{} more denials have no line in {}: too many at once", not_logged, log.source));
  const bool full = log.full && !log.denials.empty() && counts(log.denials.front().time_us, since);
  if (full)
    complain(tool, fmt::format("only the newest {} denials of {} were read", log.denials.size(), log.source));
  return full || !log.complaint.empty() || cut > 0 || not_logged > 0;
}

}  // namespace diglim::explain
