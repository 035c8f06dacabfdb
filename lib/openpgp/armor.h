// SPDX-License-Identifier: Apache-2.0
// ASCII armour (RFC 9580 section 6.2).
#pragma once

#include <vector>

#include "lib/base/bytes.h"

namespace diglim::openpgp {

enum class ArmorKind { kPublicKey, kPrivateKey };

struct ArmorBlock {
  ArmorKind kind = ArmorKind::kPublicKey;
  uint64_t offset = 0;  // of its BEGIN line in the file
  Bytes content;
};

// True if a BEGIN line of a key block stands anywhere in the text.
bool has_key_armor(ByteView text);

// Every key block of a text, in order; other text and other kinds of blocks around them are passed over. LF
// and CRLF both end a line, blanks at its end do not count, header lines are not interpreted. A checksum that
// is there must be right: section 6.1 would have it ignored, but this file is a trust anchor, and a damaged
// one should say so. At most `max_blocks`. Memory: at most 3/4 of the text. Errors: kCorrupt with the offset
// in the text.
Result<std::vector<ArmorBlock>> read_key_armor(ByteView text, size_t max_blocks);

}  // namespace diglim::openpgp
