// SPDX-License-Identifier: Apache-2.0
#include "lib/rpm/version.h"

namespace diglim::rpm {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_separator(char c) {
  return !is_digit(c) && !is_letter(c) && c != '~' && c != '^';
}

void skip_separators(std::string_view& text) {
  while (!text.empty() && is_separator(text[0])) text.remove_prefix(1);
}

std::string_view take_segment(std::string_view& text, bool digits) {
  size_t size = 0;
  while (size < text.size() && (digits ? is_digit(text[size]) : is_letter(text[size]))) ++size;
  const std::string_view segment = text.substr(0, size);
  text.remove_prefix(size);
  return segment;
}

int sign(int value) {
  return value < 0 ? -1 : value > 0 ? 1 : 0;
}

int compare_numbers(std::string_view a, std::string_view b) {
  while (!a.empty() && a[0] == '0') a.remove_prefix(1);
  while (!b.empty() && b[0] == '0') b.remove_prefix(1);
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return sign(a.compare(b));
}

struct Parts {
  std::string_view epoch = "0", version, release;
};

Parts split_evr(std::string_view evr) {
  Parts parts;
  if (const size_t colon = evr.find(':'); colon != std::string_view::npos) {
    if (colon > 0) parts.epoch = evr.substr(0, colon);
    evr.remove_prefix(colon + 1);
  }
  const size_t dash = evr.rfind('-');
  parts.version = evr.substr(0, dash);
  if (dash != std::string_view::npos) parts.release = evr.substr(dash + 1);
  return parts;
}

}  // namespace

std::optional<PackageName> split_nevra(std::string_view nevra) {
  const size_t dot = nevra.rfind('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const std::string_view nevr = nevra.substr(0, dot);
  const size_t release = nevr.rfind('-');
  if (release == std::string_view::npos || release == 0) return std::nullopt;
  const size_t version = nevr.rfind('-', release - 1);
  if (version == std::string_view::npos || version == 0) return std::nullopt;
  return PackageName{std::string(nevr.substr(0, version)), std::string(nevr.substr(version + 1))};
}

int compare_versions(std::string_view a, std::string_view b) {
  for (;;) {
    skip_separators(a);
    skip_separators(b);
    const bool tilde_a = a.starts_with('~');
    const bool tilde_b = b.starts_with('~');
    if (tilde_a != tilde_b) return tilde_a ? -1 : 1;
    const bool caret_a = a.starts_with('^');
    const bool caret_b = b.starts_with('^');
    if (caret_a != caret_b) {
      // After the end of the other, but before any other continuation of it.
      if (caret_a) return b.empty() ? 1 : -1;
      return a.empty() ? -1 : 1;
    }
    if (tilde_a || caret_a) {
      a.remove_prefix(1);
      b.remove_prefix(1);
      continue;
    }
    if (a.empty() || b.empty()) break;
    const bool digits = is_digit(a[0]);
    if (digits != is_digit(b[0])) return digits ? 1 : -1;  // numbers are newer than letters
    const std::string_view segment_a = take_segment(a, digits);
    const std::string_view segment_b = take_segment(b, digits);
    const int order = digits ? compare_numbers(segment_a, segment_b) : sign(segment_a.compare(segment_b));
    if (order != 0) return order;
  }
  return a.empty() == b.empty() ? 0 : a.empty() ? -1 : 1;
}

int compare_evr(std::string_view a, std::string_view b) {
  const Parts left = split_evr(a);
  const Parts right = split_evr(b);
  if (const int order = compare_versions(left.epoch, right.epoch); order != 0) return order;
  if (const int order = compare_versions(left.version, right.version); order != 0) return order;
  if (left.release.empty() || right.release.empty()) return 0;
  return compare_versions(left.release, right.release);
}

}  // namespace diglim::rpm
