// SPDX-License-Identifier: Apache-2.0
// Base64 (RFC 4648 section 4) as RPM 6 writes it into a header: one run of characters without line breaks.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/bytes.h"

namespace diglim {

// Strict: the padding must be there, nothing may follow it, unused bits must be zero; so one value has one
// spelling. `base` is where `text` starts in the user's file. kCorrupt with the offset.
Result<Bytes> from_base64(std::string_view text, uint64_t base = 0);

std::string to_base64(ByteView bytes);

// The six bits of one character, or -1. For readers that take lines apart (OpenPGP armour).
int base64_sextet(char c);

}  // namespace diglim
