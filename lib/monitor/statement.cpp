// SPDX-License-Identifier: Apache-2.0
#include "lib/monitor/statement.h"

#include <algorithm>
#include <charconv>

#include "bpf/abi.h"
#include "lib/trust/signed_text.h"

namespace diglim {
namespace {

constexpr std::string_view kVersion = "diglim-monitor 1\n";

bool is_boot_id(std::string_view text) {
  return text.size() == DIGLIM_BOOT_ID && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == '-';
         });
}

class Lines {
 public:
  Lines(std::string_view text, size_t at) : text_(text), at_(at) {}

  // What follows "WORD " in the next line.
  Result<std::string_view> take(std::string_view word) {
    const std::string_view rest = text_.substr(at_);
    const size_t end = rest.find('\n');
    if (end == std::string_view::npos || !rest.starts_with(word))
      return corrupt(at_, "'" + std::string(word) + "' expected");
    at_ += end + 1;
    return rest.substr(word.size(), end - word.size());
  }

  template <typename Number>
  Result<Number> take_number(std::string_view word) {
    const size_t start = at_;
    TRY_ASSIGN(const std::string_view text, take(word));
    Number number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return corrupt(start, "not a number");
    return number;
  }

 private:
  std::string_view text_;
  size_t at_;
};

}  // namespace

Result<void> check_monitor_reason(std::string_view reason) {
  if (reason.empty() || reason.size() > DIGLIM_MONITOR_REASON)
    return invalid("the reason needs 1 to " + std::to_string(DIGLIM_MONITOR_REASON) + " characters");
  const auto is_plain = [](char c) { return c >= 0x20 && c <= 0x7e && c != '\\'; };
  if (!std::ranges::all_of(reason, is_plain) || reason.front() == ' ' || reason.back() == ' ')
    return invalid("the reason may have printable ASCII only, no backslash, and no space at its ends");
  return {};
}

Result<void> check_monitor_seconds(uint64_t seconds) {
  if (seconds > 0 && seconds <= DIGLIM_MONITOR_SECONDS) return {};
  return invalid("monitor mode lasts from 1 to " + std::to_string(DIGLIM_MONITOR_SECONDS) + " seconds, not " +
                 std::to_string(seconds));
}

Result<Bytes> write_monitor_statement(const MonitorStatement& statement) {
  if (!is_boot_id(statement.boot)) return invalid("not the id of a boot");
  if (statement.number == 0) return invalid("the first monitor mode of a boot has number 1");
  TRY(check_monitor_seconds(statement.seconds));
  TRY(check_monitor_reason(statement.reason));
  std::string text(kVersion);
  text += "boot " + statement.boot + "\nnumber " + std::to_string(statement.number) + "\nseconds " +
          std::to_string(statement.seconds) + "\nbefore " + std::to_string(statement.before) + "\nreason " +
          statement.reason + "\nend\n";
  return to_bytes(as_bytes(text));
}

Result<MonitorStatement> read_monitor_statement(ByteView content) {
  const std::string_view text = as_text(content);
  if (!text.starts_with(kVersion)) return corrupt(0, "no statement about monitor mode");
  Lines lines(text, kVersion.size());
  MonitorStatement statement;
  TRY_ASSIGN(statement.boot, lines.take("boot "));
  TRY_ASSIGN(statement.number, lines.take_number<uint32_t>("number "));
  TRY_ASSIGN(statement.seconds, lines.take_number<uint32_t>("seconds "));
  TRY_ASSIGN(statement.before, lines.take_number<uint64_t>("before "));
  TRY_ASSIGN(statement.reason, lines.take("reason "));
  // One spelling each, and nothing else.
  const auto same = write_monitor_statement(statement);
  if (!same) return corrupt(0, same.error().message);
  if (as_text(*same) != text) return corrupt(0, "not as a statement is written");
  return statement;
}

Result<SignedMonitorStatement> verify_monitor_statement(ByteView file, const TrustStore& trust) {
  TRY_ASSIGN(SignedText text, verify_signed_text(file, trust, "a statement"));
  TRY_ASSIGN(MonitorStatement statement, read_monitor_statement(text.content));
  return SignedMonitorStatement{std::move(statement), std::move(text.signer)};
}

}  // namespace diglim
