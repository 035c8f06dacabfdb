// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/setup/command_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "lib/base/text.h"
#include "policy/command_line.h"

namespace diglim::setup {
namespace {

using Change = std::function<std::string(std::string_view)>;

constexpr std::string_view kGrubVariable = "GRUB_CMDLINE_LINUX=";

// COMMAND_LINE_SIZE of x86, without the end (arch/x86/include/asm/setup.h). The kernel cuts what is longer.
constexpr size_t kMaxLine = 2047;

Words split(std::string_view line) {
  const auto words = kernel_words(line);
  return {words.begin(), words.end()};
}

std::string join(const Words& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + word;
  return line;
}

std::string_view name_of(std::string_view word) {
  const size_t equals = word.find('=');
  return equals == std::string_view::npos ? word : word.substr(0, equals + 1);
}

Error refused(std::string_view line, const std::string& why) {
  return invalid(
      fmt::format("with the kernel command line \"{}\" DIGLIM would not start: {}", escape(line, 200), why));
}

// Calls `change` on each line's part that is a command line.
std::string change_lines(std::string_view text,
                         const std::function<bool(std::string_view, size_t&, size_t&)>& find,
                         const Change& change, bool& found) {
  std::string out;
  while (!text.empty()) {
    const size_t newline = text.find('\n');
    const std::string_view line = text.substr(0, newline);
    size_t begin = 0, end = line.size();
    if (find(line, begin, end)) {
      found = true;
      out += line.substr(0, begin);
      out += change(line.substr(begin, end - begin));
      out += line.substr(end);
    } else {
      out += line;
    }
    if (newline == std::string_view::npos) break;
    out += '\n';
    text.remove_prefix(newline + 1);
  }
  return out;
}

bool find_options(std::string_view line, size_t& begin, size_t&) {
  if (!line.starts_with("options") || line.size() <= 7 || (line[7] != ' ' && line[7] != '\t')) return false;
  begin = std::min(line.find_first_not_of(" \t", 7), line.size());
  return true;
}

// Between the quotes, whichever; or the bare word, which ends at a blank.
bool find_grub(std::string_view line, size_t& begin, size_t& end) {
  if (!line.starts_with(kGrubVariable)) return false;
  begin = kGrubVariable.size();
  if (begin < line.size() && (line[begin] == '"' || line[begin] == '\'')) {
    const char quote = line[begin];
    size_t close = line.find(quote, begin + 1);
    while (quote == '"' && close != std::string_view::npos && line[close - 1] == '\\')
      close = line.find(quote, close + 1);  // one of the command line's own
    if (close == std::string_view::npos) return false;
    ++begin;
    end = close;
    return true;
  }
  for (end = begin; end < line.size() && line[end] != ' ' && line[end] != '\t'; ++end) {
    if (line[end] == '\\' && end + 1 < line.size()) ++end;
  }
  return true;
}

// A value that was bare and has got a blank must be quoted for the shell that reads it.
std::string change_grub(std::string_view text, const Change& change, bool& found) {
  const auto find = [](bool bare) {
    return [bare](std::string_view line, size_t& begin, size_t& end) {
      return find_grub(line, begin, end) && (begin == kGrubVariable.size()) == bare;
    };
  };
  const auto change_bare = [&](std::string_view value) {
    const std::string changed = change(value);
    return changed.find(' ') == std::string::npos ? changed : "\"" + changed + "\"";
  };
  return change_lines(change_lines(text, find(false), change, found), find(true), change_bare, found);
}

std::string change_file(std::string_view text, Format format, const Change& change, bool& found) {
  switch (format) {
    case Format::kBlsEntry:
      return change_lines(text, find_options, change, found);
    case Format::kGrubDefault:
      return change_grub(text, change, found);
    case Format::kPlain:
      break;
  }
  found = true;
  const std::string_view body = text.substr(0, text.find_last_not_of('\n') + 1);
  return change(body) + std::string(text.empty() ? "\n" : text.substr(body.size()));
}

}  // namespace

std::string with_words(std::string_view line, const Words& add) {
  Words words = split(line);
  std::erase_if(words, [&](const std::string& word) {
    return std::ranges::any_of(add,
                               [&](const std::string& wanted) { return name_of(wanted) == name_of(word); });
  });
  words.insert(std::ranges::find(words, "--"), add.begin(), add.end());
  return join(words);
}

std::string without_words(std::string_view line, const Words& remove) {
  Words words = split(line);
  const auto gone = [&](const std::string& word) { return std::ranges::count(remove, word) > 0; };
  if (std::ranges::none_of(words, gone)) return std::string(line);
  std::erase_if(words, gone);
  return join(words);
}

Result<void> check_line(std::string_view line, const Words& words, size_t others) {
  if (line.size() + others > kMaxLine)
    return refused(line,
                   fmt::format("it has {} bytes, and the kernel takes {}{}: shorten it", line.size(),
                               kMaxLine - others, others > 0 ? " besides what the boot loader adds" : ""));
  if (std::ranges::any_of(line, [](unsigned char c) { return c < ' ' || c == 0x7f; }))
    return refused(line, "it has control characters: take them out");
  if (line.find('\xa0') != std::string_view::npos)
    return refused(line,
                   "it has a byte 0xA0 (as some letters with accents do), where the kernel divides words: "
                   "write it without");
  if (std::ranges::count(line, '"') % 2 != 0)
    return refused(line, "a quote in it does not end: close it, or take it out");
  const KernelLine read = split_kernel_line(line);
  // next_arg() takes these quotes away, so the word is another than it looks.
  for (const std::string_view word : kernel_words(line)) {
    if (word.starts_with('"'))
      return refused(line,
                     fmt::format("the word {} begins with a quote: write name=\"value\"", escape(word)));
  }
  if (std::ranges::any_of(read.words, [](std::string_view word) { return word.starts_with('#'); }))
    return refused(line,
                   "the kernel knows no comments (#), and takes their words for its own: take them out");
  for (const std::string& word : words) {
    const std::string_view name = name_of(word);
    if (name.size() == word.size() ? std::ranges::count(read.words, word) == 0
                                   : read.value(name.substr(0, name.size() - 1)) != word.substr(name.size()))
      return refused(line, fmt::format("{} is no word of its own in it", escape(word)));
  }
  return {};
}

Result<void> check_file(std::string_view text) {
  std::string line(text.substr(0, text.find_last_not_of(" \n") + 1));
  std::ranges::replace_if(
      line, [](char c) { return std::string_view("\t\n\v\f\r").find(c) != std::string_view::npos; }, ' ');
  TRY(check_line(line, {}, 0));
  if (split_kernel_line(line).value("rdinit").value_or("").ends_with("/diglim-loader")) return {};
  return refused(line,
                 "the kernel finds no rdinit=/usr/sbin/diglim-loader in it (it may stand in quotes, behind "
                 "--, or before another rdinit=)");
}

std::string add_to_file(std::string_view text, Format format, const Words& add) {
  bool found = false;
  std::string out = change_file(
      text, format, [&](std::string_view line) { return with_words(line, add); }, found);
  if (found) return out;
  if (!out.empty() && !out.ends_with('\n')) out += '\n';
  return out +
         (format == Format::kBlsEntry ? "options " + join(add)
                                      : std::string(kGrubVariable) + "\"" + join(add) + "\"") +
         "\n";
}

std::string remove_from_file(std::string_view text, Format format, const Words& remove) {
  bool found = false;
  return change_file(
      text, format, [&](std::string_view line) { return without_words(line, remove); }, found);
}

std::string options_of(std::string_view entry) {
  bool ignored = false;
  std::string all;
  (void)change_lines(
      entry, find_options,
      [&](std::string_view line) {
        all += (all.empty() ? "" : " ") + std::string(line);
        return std::string(line);
      },
      ignored);
  return all;
}

std::string grub_line_of(std::string_view text) {
  bool ignored = false;
  std::string last;
  (void)change_lines(
      text, find_grub, [&](std::string_view line) { return last = line; }, ignored);
  // As the shell reads what stands in double quotes.
  for (size_t at = 0; (at = last.find("\\\"", at)) != std::string::npos; ++at) last.erase(at, 1);
  return last;
}

std::string permissive_entry(std::string_view entry, const Words& add, std::string_view mode_word) {
  Words words = add;
  std::erase_if(words, [&](const std::string& word) { return name_of(word) == name_of(mode_word); });
  words.emplace_back(mode_word);
  const std::string changed = add_to_file(entry, Format::kBlsEntry, words);
  std::string out;
  for (size_t at = 0; at < changed.size();) {
    const size_t end = std::min(changed.find('\n', at), changed.size());
    const std::string line = changed.substr(at, end - at);
    at = end + 1;
    if (line.starts_with("sort-key") || line.starts_with("version")) continue;
    out += line.starts_with("title") ? line + " (DIGLIM permissive: denies nothing)" : line;
    out += '\n';
  }
  return out;
}

}  // namespace diglim::setup
