// SPDX-License-Identifier: Apache-2.0
#include "lib/manifest/token.h"

#include <algorithm>

#include "lib/base/bytes.h"

namespace diglim {
namespace {

bool is_plain(char c, bool spaces) {
  return c >= (spaces ? 0x20 : 0x21) && c <= 0x7e && c != '\\';
}

constexpr size_t kEscapeBytes = 4;  // \xNN

}  // namespace

bool is_lower_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string manifest_escape(std::string_view text, bool spaces) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is_plain(c, spaces)) {
      out += c;
    } else {
      out += "\\x" + to_hex(as_bytes({&c, 1}));
    }
  }
  return out;
}

Result<std::string> manifest_unescape(std::string_view text, bool spaces, uint64_t offset) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    if (is_plain(text[i], spaces)) {
      out += text[i++];
      continue;
    }
    const std::string_view escape = text.substr(i, kEscapeBytes);
    if (escape.size() != kEscapeBytes || !escape.starts_with("\\x") || !is_lower_hex(escape.substr(2)))
      return corrupt(offset + i, "bad escape in a name");
    TRY_ASSIGN(const Bytes byte, from_hex(escape.substr(2)));
    const char c = static_cast<char>(byte[0]);
    if (is_plain(c, spaces)) return corrupt(offset + i, "escape of a character that needs none");
    out += c;
    i += kEscapeBytes;
  }
  return out;
}

bool is_manifest_fingerprint(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view kind = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  if (!is_lower_hex(digits)) return false;
  return (kind == "openpgp" && (digits.size() == 40 || digits.size() == 64)) ||
         (kind == "x509" && digits.size() == 64);
}

}  // namespace diglim
