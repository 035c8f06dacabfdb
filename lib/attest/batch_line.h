// SPDX-License-Identifier: Apache-2.0
// One line of the stream that `diglim attest verify --batch` reads. FORMAT.md says what is in it.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/bytes.h"

namespace diglim {

constexpr size_t kMaxBatchLineBytes = 16u << 20;
constexpr size_t kMaxBatchIdBytes = 256;

struct BatchLine {
  std::string id;  // empty if the line has none; unescaped
  Bytes bundle, ak, nonce;
};

// One object of texts, nothing nested, each key once. kCorrupt: no such JSON, or not base64; kInvalid: a key
// that is missing or unknown, an id or nonce of another size than allowed. `line` gets the id if there is
// one, on errors too.
Result<void> read_batch_line(std::string_view text, BatchLine& line);

}  // namespace diglim
