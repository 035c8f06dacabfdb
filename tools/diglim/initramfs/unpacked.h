// SPDX-License-Identifier: Apache-2.0
// The initramfs of an installed kernel, unpacked by dracut's lsinitrd(1), which knows where each boot loader
// keeps it, and how it is packed (early microcode, compression, a unified kernel image).
#pragma once

#include <string>

#include "lib/base/result.h"

namespace diglim {

// A temporary directory that goes with the object. Movable.
class UnpackedInitramfs {
 public:
  // `release` as uname -r. kNotFound: lsinitrd is not installed. kIo: there is no such image, or it cannot be
  // unpacked; the message says what lsinitrd said.
  static Result<UnpackedInitramfs> of_kernel(const std::string& release);

  UnpackedInitramfs(UnpackedInitramfs&& other) noexcept;
  UnpackedInitramfs& operator=(UnpackedInitramfs&&) = delete;
  ~UnpackedInitramfs();

  // Without a slash at its end.
  const std::string& root() const { return root_; }

 private:
  explicit UnpackedInitramfs(std::string root) : root_(std::move(root)) {}
  std::string root_;  // empty: moved from
};

}  // namespace diglim
