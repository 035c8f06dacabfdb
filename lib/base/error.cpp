// SPDX-License-Identifier: Apache-2.0
#include "lib/base/error.h"

#include <cerrno>
#include <cstring>

namespace diglim {

Error corrupt(uint64_t offset, std::string_view reason) {
  return {ErrorCode::kCorrupt, 0, "offset " + std::to_string(offset) + ": " + std::string(reason)};
}

Error untrusted(std::string_view reason) {
  return {ErrorCode::kUntrusted, 0, std::string(reason)};
}
Error unsupported(std::string_view reason) {
  return {ErrorCode::kUnsupported, 0, std::string(reason)};
}
Error invalid(std::string_view reason) {
  return {ErrorCode::kInvalid, 0, std::string(reason)};
}
Error not_found(std::string_view reason) {
  return {ErrorCode::kNotFound, 0, std::string(reason)};
}

Error from_errno(std::string_view what, int err) {
  const auto code = err == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo;
  return {code, err, std::string(what) + ": " + std::strerror(err)};
}

Error with_context(std::string_view context, Error error) {
  error.message.insert(0, std::string(context) + ": ");
  return error;
}

}  // namespace diglim
