// SPDX-License-Identifier: Apache-2.0
// Words of a manifest. Each value has exactly one spelling.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace diglim {

// Stands for "no package".
constexpr std::string_view kNoPackage = "-";

// Bytes outside 0x21-0x7e (0x20-0x7e with `spaces`), and the backslash, as \xNN.
std::string manifest_escape(std::string_view text, bool spaces);
// The reverse; kCorrupt with `offset` (of the text in the file) for any other spelling.
Result<std::string> manifest_unescape(std::string_view text, bool spaces, uint64_t offset);

// "openpgp:" and 40 or 64, or "x509:" and 64 lower-case hexadecimal digits.
bool is_manifest_fingerprint(std::string_view text);

bool is_lower_hex(std::string_view text);

}  // namespace diglim
