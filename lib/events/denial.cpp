// SPDX-License-Identifier: Apache-2.0
#include "lib/events/denial.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "lib/base/text.h"
#include "lib/events/event_id.h"
#include "lib/events/event_line.h"
#include "lib/events/reasons.h"

namespace diglim {
namespace {

constexpr std::string_view kHole = "{}";
constexpr std::string_view kBetween = ": ";
constexpr size_t kMaxCommand = sizeof(diglim_event::command) - 1;
constexpr std::array<std::string_view, 5> kFiles = {"exec", "mmap", "mprotect", "write", "load"};

bool take_begin(std::string_view& text, std::string_view begin) {
  if (!text.starts_with(begin)) return false;
  text.remove_prefix(begin.size());
  return true;
}

bool take_number(std::string_view& text, uint32_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return true;
}

// " event 3f2a91bc-57 lost 3", of which each may be missing.
void take_number_of(std::string_view text, Denial& denial) {
  if (take_begin(text, " event ")) {
    const std::string_view id = text.substr(0, text.find(' '));
    if (const auto whole = find_event_id(id, "00000000")) denial.event = *whole;
    text.remove_prefix(id.size());
  }
  uint32_t lost = 0;
  if (take_begin(text, " lost ") && take_number(text, lost)) denial.lost = lost;
}

// "; pid 12 uid 0 command sh" from the end. A path may contain the like, but stands before it; a command is
// too short to contain all of it. A later version may say more between uid and command.
bool take_actor(std::string_view& text, Denial& denial) {
  constexpr std::string_view kPid = "; pid ";
  constexpr std::string_view kCommand = " command ";
  for (size_t at = text.rfind(kPid); at != std::string_view::npos && at > 0; at = text.rfind(kPid, at - 1)) {
    std::string_view rest = text.substr(at + kPid.size());
    if (!take_number(rest, denial.pid) || !take_begin(rest, " uid ") || !take_number(rest, denial.uid))
      continue;
    const size_t command = rest.find(kCommand);
    if (command == std::string_view::npos) continue;
    const auto name = unescape(rest.substr(command + kCommand.size()));
    if (!name || name->size() > kMaxCommand) continue;
    denial.command = *name;
    take_number_of(rest.substr(0, command), denial);
    text = text.substr(0, at);
    return true;
  }
  return false;
}

// "; sha256:HEX" at the end. No reason ends like that.
void take_digest(std::string_view& text, Denial& denial) {
  const size_t at = text.rfind("; ");
  if (at == std::string_view::npos) return;
  const std::string_view last = text.substr(at + 2);
  const size_t colon = last.find(':');
  if (colon == std::string_view::npos) return;
  const auto algo = hash_from_name(last.substr(0, colon));
  auto digest = from_hex(last.substr(colon + 1));
  if (!algo || !digest || digest->size() != hash_size(*algo)) return;
  denial.algo = algo;
  denial.digest = *std::move(digest);
  text = text.substr(0, at);
}

// Does the text end with ": WORDS"? What the hole stands for is short and has no ": " in it.
bool take_words(std::string_view& text, const ReasonWords& words, Denial& denial) {
  const size_t hole = words.text.find(kHole);
  const std::string_view before = words.text.substr(0, hole);
  const std::string_view after =
      hole == std::string_view::npos ? std::string_view() : words.text.substr(hole + kHole.size());
  if (!text.ends_with(after)) return false;
  const std::string_view rest = text.substr(0, text.size() - after.size());
  const size_t at = rest.rfind(std::string(kBetween).append(before));
  if (at == std::string_view::npos) return false;
  const std::string_view detail = rest.substr(at + kBetween.size() + before.size());
  if (hole == std::string_view::npos ? !detail.empty() : detail.find(kBetween) != std::string_view::npos)
    return false;
  denial.reason = words.reason;
  denial.detail = detail;
  text = text.substr(0, at);
  return true;
}

bool take_reason(std::string_view& text, Denial& denial) {
  return std::ranges::any_of(reason_words(),
                             [&](const ReasonWords& words) { return take_words(text, words, denial); });
}

// Those whose `detail` is the reason's do not say what the kernel loads.
bool says_use(diglim_reason reason) {
  return reason != DIGLIM_REASON_HASH && reason != DIGLIM_REASON_ALGORITHM &&
         reason != DIGLIM_REASON_FILESYSTEM && reason != DIGLIM_REASON_STORAGE;
}

size_t find_middle_missing(std::string_view escaped) {
  for (size_t at = 0; at < escaped.size(); ++at) {
    if (escaped[at] != '\\') continue;
    if (escaped.substr(at).starts_with(kMiddleMissing)) return at;
    ++at;  // "\\\\..." is a backslash before three dots
  }
  return std::string_view::npos;
}

// "/path", ".../path", "/begin\...end".
bool take_path(std::string_view text, Denial& denial) {
  denial.begin_missing = take_begin(text, "...");
  const size_t middle = find_middle_missing(text);
  denial.path_cut = denial.begin_missing || middle != std::string_view::npos;
  const auto begin = unescape(text.substr(0, middle));
  if (!begin || !begin->starts_with('/')) return false;
  denial.path = *begin;
  if (middle == std::string_view::npos) return true;
  const auto end = unescape(text.substr(middle + kMiddleMissing.size()));
  if (!end) return false;
  denial.path += "..." + *end;
  return true;
}

// "exec /path", "load /path: module", "load: module", "trace DIGLIM".
bool take_object(std::string_view text, Denial& denial) {
  const size_t space = text.find(' ');
  const std::string_view verb = text.substr(0, std::min(space, text.find(':')));
  const bool is_guard = text.starts_with("load a");  // "load an IMA policy": no file's begins so
  if (std::ranges::count(kFiles, verb) > 0 && !is_guard) {
    denial.what = verb;
    if (verb == "load" && says_use(denial.reason)) {
      const size_t use = text.rfind(kBetween);
      if (use == std::string_view::npos) return false;
      denial.use = text.substr(use + kBetween.size());
      text = text.substr(0, use);
    }
    text.remove_prefix(verb.size());
    if (text.empty()) return true;
    if (!take_begin(text, " ")) return false;
  } else {
    const size_t path = std::min(text.find(" /"), text.find(" .../"));
    denial.what = text.substr(0, path);
    if (path == std::string_view::npos) return true;
    text.remove_prefix(path + 1);
  }
  return take_path(text, denial);
}

std::string_view take_word(std::string_view& text) {
  const size_t end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(text.find_first_not_of(' ', end), text.size()));
  return word;
}

// "Nov  6 12:00:00 host ", "2026-11-06T12:00:00+00:00 host kernel: ".
bool take_time_and_host(std::string_view& line) {
  constexpr int kMostWords = 3;
  for (int i = 0; i < kMostWords; ++i) {
    if (std::ranges::count(take_word(line), ':') < 2) continue;
    (void)take_word(line);
    (void)take_begin(line, "kernel: ");  // some leave it out
    return true;
  }
  return false;
}

// "[   12.345678] ", "[Fri Nov  6 12:00:00 2026] ".
void take_dmesg_time(std::string_view& line) {
  const size_t end = line.find("] ");
  if (line.starts_with('[') && end != std::string_view::npos) line.remove_prefix(end + 2);
}

bool is_begin(std::string_view line) {
  return line.starts_with("denied ") || line.starts_with("would deny ");
}

}  // namespace

std::optional<std::string_view> without_origin(std::string_view line) {
  constexpr std::string_view kSource = "diglim: ";
  if (take_begin(line, kSource)) return line;
  if (!line.starts_with('[') && !take_time_and_host(line)) return std::nullopt;
  take_dmesg_time(line);
  if (!take_begin(line, kSource)) return std::nullopt;
  return line;
}

std::string name_of(const Denial& denial) {
  if (denial.path.empty()) return denial.what;
  return (denial.begin_missing ? "..." : "") + denial.path;
}

std::optional<Denial> parse_denial(std::string_view line) {
  Denial denial;
  line = trim(line);
  if (!is_begin(line)) {
    const auto said = without_origin(line);
    if (!said) return std::nullopt;
    line = *said;
  }
  denial.enforced = take_begin(line, "denied ");
  if (!denial.enforced && !take_begin(line, "would deny ")) return std::nullopt;
  if (!take_actor(line, denial)) return std::nullopt;
  take_digest(line, denial);
  if (!take_reason(line, denial) || !take_object(line, denial)) return std::nullopt;
  return denial;
}

}  // namespace diglim
