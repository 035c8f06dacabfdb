// SPDX-License-Identifier: Apache-2.0
// An initramfs, unpacked as the kernel does it (archive.h), also out of a unified kernel image.
#pragma once

#include <string>
#include <vector>

#include "lib/base/result.h"

namespace diglim {

// A temporary directory that goes with the object. Movable.
class UnpackedInitramfs {
 public:
  // All parts of one, in the order in which the boot loader hands them to the kernel. kUnsupported: what
  // unpacks it is not installed, or it is not to be seen what else is handed over. kCorrupt: it is not what
  // the kernel would read to its end. kIo.
  static Result<UnpackedInitramfs> of_images(const std::vector<std::string>& paths);
  // Of the running system (initramfs/image.h). `release` as uname -r. Errors as above; kNotFound: there is no
  // such image.
  static Result<UnpackedInitramfs> of_kernel(const std::string& release);

  UnpackedInitramfs(UnpackedInitramfs&& other) noexcept;
  UnpackedInitramfs& operator=(UnpackedInitramfs&&) = delete;
  ~UnpackedInitramfs();

  // Without a slash at its end. Links in it lead nowhere else.
  const std::string& root() const { return root_; }

 private:
  explicit UnpackedInitramfs(std::string folder);
  Result<void> add(const std::string& image);
  std::string folder_;  // with the root in it; empty: moved from
  std::string root_;
};

}  // namespace diglim
