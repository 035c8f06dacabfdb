// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "lib/base/file.h"

namespace diglim {

// Puts a new file in the place of `old`, which was opened as `path`, all or nothing, with its owner, group
// and permissions. They are set before the file has its name, so that no link that somebody puts there gets
// them. kIo: "chown PATH: reason" and so on; `path` is as it was.
Result<void> replace_file(const Fd& old, const std::string& path, ByteView bytes);

}  // namespace diglim
