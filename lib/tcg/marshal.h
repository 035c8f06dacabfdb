// SPDX-License-Identifier: Apache-2.0
// tss2-mu with Result. Its functions check sizes against the input and their own buffers, but let bytes
// follow.
#pragma once

#include <tss2/tss2_mu.h>

#include <algorithm>
#include <string>

#include "lib/base/bytes.h"

namespace diglim {

// kCorrupt unless `bytes` is exactly one T.
template <typename T, typename Unmarshal>
Result<T> unmarshal(ByteView bytes, std::string_view what, Unmarshal function) {
  T value = {};
  size_t offset = 0;
  if (function(bytes.data(), bytes.size(), &offset, &value) != TSS2_RC_SUCCESS)
    return corrupt(offset, "not a " + std::string(what));
  if (offset != bytes.size()) return corrupt(offset, "bytes after the " + std::string(what));
  return value;
}

// kInvalid if the value says sizes that it does not have.
template <typename T, typename Marshal>
Result<Bytes> marshal(const T& value, std::string_view what, Marshal function) {
  Bytes out(sizeof(T) + 64);  // the wire form is never larger than the struct
  size_t offset = 0;
  if (function(&value, out.data(), out.size(), &offset) != TSS2_RC_SUCCESS)
    return invalid("cannot write a " + std::string(what));
  out.resize(offset);
  return out;
}

// Into a TPM2B of any kind: fill(digest.size, digest.buffer, bytes). kInvalid if it is too small.
template <size_t N>
Result<void> fill(UINT16& size, BYTE (&buffer)[N], ByteView bytes) {
  if (bytes.size() > N) return invalid(std::to_string(bytes.size()) + " bytes, at most " + std::to_string(N));
  std::copy(bytes.begin(), bytes.end(), buffer);
  size = static_cast<UINT16>(bytes.size());
  return {};
}

}  // namespace diglim
