// SPDX-License-Identifier: Apache-2.0
// A folder below the root of a system, held open: it stays reachable when rpm changes its root folder.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/base/file.h"

namespace diglim {

// A file that has its content but not yet its name.
struct PendingFile {
  std::string temporary;
  std::string name;
  Fd fd;
};

class Folder {
 public:
  // Opens `root`/`path` and makes what is missing of it, mode 0755. Under a root that is not "/" no symbolic
  // link is followed: it could lead out of that system into this one. Errors: kIo ("ROOT/PATH: reason").
  static Result<Folder> open(const std::string& root, std::string_view path);

  // Errors as read_file(), which name the file; a link is none (kIo). `name` is one component.
  Result<Bytes> read(const std::string& name, size_t max_bytes) const;
  Result<bool> exists(const std::string& name) const;
  // Sorted, without "." and "..".
  Result<std::vector<std::string>> list() const;

  // All or nothing for each file: a temporary name that begins with a dot, content, sync, rename, sync of the
  // folder; one sync serves all that are prepared together. On an error nothing of this file stays.
  Result<PendingFile> prepare(const std::string& name, ByteView content) const;
  Result<void> sync(const std::vector<PendingFile>& files) const;
  Result<void> commit(const PendingFile& file) const;
  void discard(const PendingFile& file) const;
  Result<void> sync_entries() const;                                    // makes renames and removals last
  Result<void> write(const std::string& name, ByteView content) const;  // prepare to sync_entries in one

  // No error if it is not there.
  Result<void> remove(const std::string& name) const;

  int fd() const { return fd_.get(); }
  const std::string& path() const { return path_; }  // for messages

 private:
  Folder(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  Error failed(std::string_view action, const std::string& name, int error) const;

  Fd fd_;
  std::string path_;
};

}  // namespace diglim
