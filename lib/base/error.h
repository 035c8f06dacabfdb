// SPDX-License-Identifier: Apache-2.0
// What can go wrong, as a value. Callers branch on `code` only; `message` is for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace diglim {

enum class ErrorCode {
  kNotFound,     // the thing asked for does not exist
  kCorrupt,      // bytes contradict their format
  kUntrusted,    // well-formed, but no trusted key vouches for it
  kUnsupported,  // well-formed, but outside what is implemented or allowed
  kInvalid,      // the caller's request makes no sense
  kIo,           // the system refused; sys_errno says why
};

struct Error {
  ErrorCode code = ErrorCode::kInvalid;
  int sys_errno = 0;    // 0 unless the system call layer reported one
  std::string message;  // one line, printable; offsets of bad input are part of it
};

// "offset N: reason" with kCorrupt. `offset` counts bytes from the start of the file that the user named.
Error corrupt(uint64_t offset, std::string_view reason);
Error untrusted(std::string_view reason);
Error unsupported(std::string_view reason);
Error invalid(std::string_view reason);
Error not_found(std::string_view reason);

// The one place that turns errno into an Error: "what: strerror". ENOENT becomes kNotFound, the rest kIo.
// `what` should say what was tried and on which object ("open /etc/x").
Error from_errno(std::string_view what, int err);

// Puts "context: " in front of the message and keeps the rest.
Error with_context(std::string_view context, Error error);

}  // namespace diglim
