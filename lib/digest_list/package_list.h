// SPDX-License-Identifier: Apache-2.0
// The digest list of a package; of one that is not installed, from its .rpm file and without librpm.
#pragma once

#include <sys/types.h>

#include <string>

#include "lib/base/bytes.h"

namespace diglim {

// Before it has a file of its own.
struct PackageList {
  std::string nvra;
  Bytes list;  // as make_rpm_list() makes it
};

// Reads no more of the file than its headers. Errors: kCorrupt (offset), kUntrusted (not signed), kIo,
// kNotFound.
Result<PackageList> list_of_package_file(const std::string& path);

// The same of an open file in which the package begins at `base`; does not move its position. `path` is for
// messages.
Result<PackageList> list_of_package(int fd, off_t base, const std::string& path);

}  // namespace diglim
