// SPDX-License-Identifier: Apache-2.0
// Of two commands at once that read something, change it and write it, the second waits and reads what the
// first wrote. What is locked is what changes: no file beside it.
#pragma once

#include <string>

#include "lib/base/file.h"

namespace diglim {

// The file, open for reading and locked as long as this lives; it may be replaced by another of its name
// (write_file_atomically(), replace_file()). `flags`: more for open(2). kNotFound or kIo as open_file(); kIo
// after five minutes, since whoever reads a file can lock it, too.
Result<Fd> open_to_change(const std::string& path, int flags = 0);

// For the files in a folder of the system in `root`, locked as long as this lives. Of the running system ("")
// what is locked is root's alone, in /run: whoever may read the folder could lock it, too. Errors as above.
Result<Fd> lock_folder(const std::string& root, const std::string& folder);

}  // namespace diglim
