// SPDX-License-Identifier: Apache-2.0
// Descriptors and whole files. Only Fd closes a descriptor.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "lib/base/bytes.h"

namespace diglim {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}  // takes ownership; a negative number means none
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept;
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd();

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release();  // the caller owns it now

 private:
  int fd_ = -1;
};

// open(2) with O_CLOEXEC. kNotFound or kIo: "open PATH: reason".
Result<Fd> open_file(const std::string& path, int flags, mode_t mode = 0);

// The whole of a regular file. kUnsupported for anything else ("not a regular file") and for more than
// `max_bytes` (so that memory stays bounded whatever the file claims).
Result<Bytes> read_file(const std::string& path, size_t max_bytes);

// The same of an open file, from where it stands. `path` is for messages.
Result<Bytes> read_open_file(const Fd& fd, const std::string& path, size_t max_bytes);

// For /proc, /sys and pipes, whose size is not known ahead: reads to the end, at most `max_bytes`.
Result<Bytes> read_stream(const std::string& path, size_t max_bytes);

// Appends to `bytes` from where the file stands, until there are `wanted` of them or the file ends. Memory
// grows with what was read, whatever `wanted` says.
Result<void> read_up_to(const Fd& fd, const std::string& path, size_t wanted, Bytes& bytes);

// All of the bytes, from where the file stands. kIo: "write PATH: reason".
Result<void> write_bytes(const Fd& fd, const std::string& path, ByteView bytes);

// All or nothing: writes to a temporary file in the same folder (its name begins with a dot), fsync, rename
// over `path`, fsync of the folder. On an error `path` is as it was and nothing is left behind.
Result<void> write_file_atomically(const std::string& path, ByteView bytes, mode_t mode);

// Names (not paths) in a folder without "." and "..", sorted bytewise, so that every run sees one order.
Result<std::vector<std::string>> list_folder(const std::string& path);

// The same of an open folder, wherever its position is, and it stays there. `path` is for messages.
Result<std::vector<std::string>> list_open_folder(const Fd& folder, const std::string& path);

}  // namespace diglim
