// SPDX-License-Identifier: Apache-2.0
// The digests of files and of everything in directories.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/base/file.h"
#include "lib/crypto/hash.h"

namespace diglim {

struct FileDigests {
  std::set<Bytes> digests;  // each once, in order
  size_t files = 0;         // that were read
};

// A path that the user names may be a file or a directory, or a link to one. A directory stands for all
// regular files below it on the same file system; links in it are not followed. `on_file` is called for each
// file before it is read. All or nothing: the first file that cannot be read is the error, with its path. A
// path without any regular file is an error, too (kInvalid).
Result<FileDigests> digest_files(const std::vector<std::string>& paths, HashAlgo algo,
                                 const std::function<void(std::string_view)>& on_file);

// Of a larger file DIGLIM never knows the digest (MAX_HASHED_SIZE in bpf/content.bpf.h).
constexpr uint64_t kMaxKnownBytes = 4ull << 30;
Error too_large(const std::string& path);

// What is left of an open regular file, read in pieces; `path` is for messages. kIo, kUnsupported:
// too_large().
Result<Bytes> digest_open_file(const Fd& fd, const std::string& path, HashAlgo algo);

// Of a regular file, read in pieces. kUnsupported for anything else and for what is too large,
// kNotFound, kIo.
Result<Bytes> digest_file(const std::string& path, HashAlgo algo);

}  // namespace diglim
