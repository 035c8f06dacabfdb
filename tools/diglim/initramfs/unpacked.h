// SPDX-License-Identifier: Apache-2.0
// An initramfs, unpacked by dracut's lsinitrd(1), which knows how one is packed (early microcode,
// compression, a unified kernel image).
#pragma once

#include <string>

#include "lib/base/result.h"

namespace diglim {

// A temporary directory that goes with the object. Movable.
class UnpackedInitramfs {
 public:
  // kNotFound: lsinitrd is not installed. kIo: it cannot be unpacked, or not to its end; the message says
  // what lsinitrd said.
  static Result<UnpackedInitramfs> of_image(const std::string& path);
  // Of the running system (initramfs/image.h). `release` as uname -r. Errors as above; kNotFound: there is no
  // such image.
  static Result<UnpackedInitramfs> of_kernel(const std::string& release);

  UnpackedInitramfs(UnpackedInitramfs&& other) noexcept;
  UnpackedInitramfs& operator=(UnpackedInitramfs&&) = delete;
  ~UnpackedInitramfs();

  // Without a slash at its end.
  const std::string& root() const { return root_; }

 private:
  explicit UnpackedInitramfs(std::string folder);
  std::string folder_;  // with the root in it; empty: moved from
  std::string root_;
};

}  // namespace diglim
