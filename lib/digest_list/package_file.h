// SPDX-License-Identifier: Apache-2.0
// The digest list of an .rpm file that is not installed; without librpm.
#pragma once

#include <sys/types.h>

#include <string>

#include "lib/base/bytes.h"

namespace diglim {

struct PackageFileList {
  std::string nvra;
  Bytes list;
};

// Reads no more of the file than its headers. Errors: kCorrupt (offset), kUntrusted (not signed), kIo,
// kNotFound.
Result<PackageFileList> list_of_package_file(const std::string& path);

// The same of an open file in which the package begins at `base`; does not move its position. `path` is for
// messages.
Result<PackageFileList> list_of_package(int fd, off_t base, const std::string& path);

}  // namespace diglim
