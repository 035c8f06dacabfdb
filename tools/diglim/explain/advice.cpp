// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/explain/advice.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/events/reasons.h"
#include "tools/diglim/explain/details.h"
#include "tools/diglim/explain/reasons.h"
#include "tools/tool.h"

namespace diglim::explain {
namespace {

using known::Cause;

constexpr size_t kShownHolders = 5;
constexpr std::string_view kWhereItLies =
    "the log has only the end of its path: find where it lies, and ask again with the whole path";

// What stands for a hole "{...}". In a sentence names are escaped, in a command they are quoted.
std::optional<std::string> value_of(std::string_view hole, const Denial* denial, const Facts& facts,
                                    bool for_shell) {
  const auto name = [&](const std::string& text) { return for_shell ? shell_word(text) : escape(text); };
  if (hole == "{pid}") return std::to_string(denial != nullptr ? denial->pid : 0);
  if (hole == "{key}") return facts.package_key.empty() ? "FILE" : name(facts.package_key);
  if (hole == "{package}") return name(for_shell ? name_of_package(facts.package) : facts.package);
  if (hole == "{name}") return name(facts.path.substr(facts.path.rfind('/') + 1));
  if (hole == "{copy}") return name(facts.path + ".new");
  if (hole == "{path}") return name(facts.path);
  return std::nullopt;
}

// Once through the words: whatever a name contains is no hole.
std::string fill(std::string_view words, const Denial* denial, const Facts& facts, bool for_shell) {
  std::string text;
  while (!words.empty()) {
    const size_t begin = std::min(words.find('{'), words.size());
    text += words.substr(0, begin);
    words.remove_prefix(begin);
    const std::string_view hole = words.substr(0, words.find('}') + 1);
    const auto value = value_of(hole, denial, facts, for_shell);
    text += value ? *value : std::string(hole);
    words.remove_prefix(hole.size());
  }
  return text;
}

// The command of the words and what it means; words alone where root must not follow what others put there.
void advise(const Words& words, const Denial* denial, const Facts& facts, Explanation& result) {
  const bool copies = words.command.starts_with("cp ") || words.command.starts_with("install ");
  result.command.clear();
  result.meaning = fill(words.meaning, denial, facts, true);
  if (denial != nullptr && denial->path_cut && words.command.find("{path}") != std::string_view::npos)
    result.meaning = std::string(kWhereItLies);
  else if (copies && !facts.only_root)
    result.meaning =
        "its owner has to copy it, not root: others than root may write to it or to a directory above it, "
        "and "
        "root would follow what they put there; " +
        result.meaning;
  else
    result.command = fill(words.command, denial, facts, true);
}

void add_holders(const std::vector<Holder>& holders, std::string_view what, std::vector<std::string>& lines) {
  for (size_t i = 0; i < holders.size() && i < kShownHolders; ++i)
    lines.push_back(fmt::format("{} process {} ({}).", what, holders[i].pid, escape(holders[i].command)));
  if (holders.size() > kShownHolders)
    lines.push_back(fmt::format("{} {} more.", what, holders.size() - kShownHolders));
}

// What the content alone says: the words of the cause, and what is known besides.
Words add_cause(const Facts& facts, std::vector<std::string>& what) {
  Words words = cause_explanation(facts.verdict.cause);
  if (facts.verdict.cause == Cause::kNone && !facts.list.empty())
    what.push_back(fmt::format("Its content is on the list {} now.", escape(facts.list)));
  else
    what.push_back(fill(words.what, nullptr, facts, false));
  if (facts.verdict.cause == Cause::kForeign && !facts.package.empty())
    what.push_back(fmt::format("The package {} owns this path, but ships no content for it (a ghost).",
                               escape(facts.package)));
  if (!facts.verdict.why.empty()) what.push_back(fmt::format("It is {}.", facts.verdict.why));
  if (!facts.package_why.empty()) what.push_back(fmt::format("The package: {}.", facts.package_why));
  if (facts.other) {
    const char* order = facts.other->order < 0 ? "an older" : facts.other->order > 0 ? "a newer" : "another";
    what.push_back(fmt::format("It is the content of {} version of that package: {}.", order,
                               escape(facts.other->nevra)));
  }
  return words;
}

bool depends_on_content(diglim_reason reason) {
  return reason == DIGLIM_REASON_PINNED || reason == DIGLIM_REASON_FILESYSTEM ||
         reason == DIGLIM_REASON_STORAGE || reason == DIGLIM_REASON_STALE ||
         reason == DIGLIM_REASON_NOT_VERIFIED || reason == DIGLIM_REASON_WRITER;
}

Explanation explain_reason(const Denial& denial, const Facts& facts) {
  const Words* words = denial.reason == DIGLIM_REASON_PROTECTED ? guard_explanation(denial.what) : nullptr;
  if (denial.reason == DIGLIM_REASON_HASH && denial.detail == kKilledWhileHashed)
    words = &killed_explanation();
  if (words == nullptr) words = reason_explanation(denial.reason);
  if (words == nullptr) return {"", {"A reason that this version does not know."}, "", "update diglim"};
  Explanation result{std::string(words->id), {fill(words->what, &denial, facts, false)}, "", ""};
  if (!denial.detail.empty() && denial.detail != kKilledWhileHashed)
    result.what.push_back(fmt::format("The kernel says: {}.", trim(denial.detail)));
  add_holders(facts.writers, "Open for writing by", result.what);
  if (denial.reason == DIGLIM_REASON_MAPPED) add_holders(facts.mappers, "Mapped executable by", result.what);
  advise(*words, &denial, facts, result);
  // Nobody shall do the one thing, and then learn of the other.
  if (depends_on_content(denial.reason) && !facts.digest.empty() && facts.verdict.cause != Cause::kNone) {
    (void)add_cause(facts, result.what);
    Explanation next;
    advise(cause_explanation(facts.verdict.cause), &denial, facts, next);
    result.meaning += fmt::format("; after that its content is still on no list, so also: {}",
                                  next.command.empty() ? next.meaning : next.command);
  }
  return result;
}

Explanation explain_content(const Denial* denial, const Facts& facts) {
  Explanation result;
  if (denial != nullptr && !denial->digest.empty() && !facts.digest.empty() && denial->digest != facts.digest)
    result.what.push_back(fmt::format("It is not what was denied any more: that was {}:{}.",
                                      hash_name(*denial->algo), to_hex(denial->digest).substr(0, 16)));
  if (denial != nullptr && denial->path_cut)
    return {"unknown/path-cut", {"Where it lies is not known."}, "", std::string(kWhereItLies)};
  if (facts.path.empty() || !facts.exists) {
    result.id = "unknown/gone";
    result.what.push_back(facts.path.empty() ? "It has no path."
                                             : "It is no longer there, or was never on this host.");
    result.meaning = "nothing can be said of content that is gone; if it comes again, ask again";
    return result;
  }
  if (facts.too_large) {
    const Words& words = cause_explanation(Cause::kTooLarge);
    return {"unknown/too-large", {std::string(words.what)}, "", std::string(words.meaning)};
  }
  if (facts.digest.empty() && facts.unreadable.empty()) {
    result.id = "unknown/no-file";
    result.what.push_back("It is no regular file, so DIGLIM is not asked about it.");
    result.meaning = "nothing has to be changed";
    return result;
  }
  const Words words = add_cause(facts, result.what);
  result.id = fmt::format("unknown/{}", words.id);
  advise(words, denial, facts, result);
  if (facts.verdict.cause == Cause::kUntrusted && facts.package_key.empty())
    result.meaning += "; FILE is that key: whoever built the package has it";
  return result;
}

Explanation explain_all(const Denial* denial, const Facts& facts) {
  if (denial != nullptr && denial->reason != DIGLIM_REASON_UNKNOWN) return explain_reason(*denial, facts);
  // Of a file that was only asked about, what stands against it besides its content comes first.
  if (denial == nullptr && facts.exists && !facts.refusal.empty()) {
    Denial would;
    would.reason = DIGLIM_REASON_FILESYSTEM;
    would.path = facts.path;
    Explanation result = explain_reason(would, facts);
    result.what.front() = fmt::format("It lies on {}: {}.", escape(facts.mount_point), escape(facts.refusal));
    return result;
  }
  Explanation result = explain_content(denial, facts);
  if (!facts.writers.empty() && facts.verdict.cause == Cause::kNone)
    advise(*reason_explanation(DIGLIM_REASON_WRITER), denial, facts, result);
  add_holders(facts.writers, "Open for writing, so it cannot run anyway: by", result.what);
  return result;
}

bool is_of_other_machine(const Facts& facts) {
  return facts.elf && !other_machine(*facts.elf, facts.machine).empty();
}

}  // namespace

bool cannot_start(const Facts& facts) {
  return facts.interpreter_missing || is_of_other_machine(facts);
}

Explanation explain(const Denial* denial, const Facts& facts) {
  Explanation result = explain_all(denial, facts);
  if (denial != nullptr && denial->path_cut) return result;
  // To allow it would be a key and a list for nothing.
  if (is_of_other_machine(facts) && result.command.starts_with("diglim allow ")) {
    result.meaning = fmt::format("get the program that was made for {}; for an emulator (qemu-user): {}",
                                 facts.machine, result.command);
    result.command.clear();
  }
  // It was denied, is allowed by now, and still does not run.
  const bool is_known = !facts.list.empty() && facts.verdict.cause == Cause::kNone && facts.writers.empty();
  if (is_known && cannot_start(facts) && denial != nullptr && denial->reason == DIGLIM_REASON_UNKNOWN) {
    result.command.clear();
    result.meaning = "nothing with DIGLIM, which does not deny it any more; it cannot start here anyway";
  }
  for (std::string& line : details(denial, facts)) result.what.push_back(std::move(line));
  return result;
}

bool has_explanation(diglim_reason reason) {
  return reason_explanation(reason) != nullptr;
}

std::string name_of_package(const std::string& nvra) {
  size_t end = nvra.rfind('-');
  if (end != std::string::npos && end > 0) end = nvra.rfind('-', end - 1);
  return end == std::string::npos ? nvra : nvra.substr(0, end);
}

}  // namespace diglim::explain
