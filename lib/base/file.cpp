// SPDX-License-Identifier: Apache-2.0
#include "lib/base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "lib/base/owned.h"
#include "lib/base/text.h"

namespace diglim {
namespace {

Result<Bytes> read_to_end(const Fd& fd, const std::string& path, size_t max_bytes) {
  Bytes content;
  TRY(read_up_to(fd, path, max_bytes + 1, content));
  if (content.size() > max_bytes)
    return unsupported("larger than the limit of " + std::to_string(max_bytes) + " bytes");
  return content;
}

Result<std::vector<std::string>> read_entries(Fd fd, const std::string& path) {
  const Owned<DIR, closedir> folder(fdopendir(fd.get()));
  if (!folder) return from_errno("open directory " + escape(path), errno);
  (void)fd.release();  // closedir() closes it
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(folder.get());
    if (entry == nullptr && errno != 0) return from_errno("read directory " + escape(path), errno);
    if (entry == nullptr) break;
    std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) (void)close(fd_);  // nothing useful can be done about its error
    fd_ = other.release();
  }
  return *this;
}

Fd::~Fd() {
  if (fd_ >= 0) (void)close(fd_);  // nothing useful can be done about its error
}

int Fd::release() {
  return std::exchange(fd_, -1);
}

Result<Fd> open_file(const std::string& path, int flags, mode_t mode) {
  Fd fd(open(path.c_str(), flags | O_CLOEXEC, mode));
  if (!fd) return from_errno("open " + escape(path), errno);
  return fd;
}

Result<Bytes> read_file(const std::string& path, size_t max_bytes) {
  // O_NONBLOCK: a FIFO in place of a file must not hang us. It means nothing for a regular file.
  TRY_ASSIGN(const Fd fd, open_file(path, O_RDONLY | O_NONBLOCK));
  return read_open_file(fd, path, max_bytes);
}

Result<Bytes> read_open_file(const Fd& fd, const std::string& path, size_t max_bytes) {
  struct stat info = {};
  if (fstat(fd.get(), &info) != 0) return from_errno("stat " + escape(path), errno);
  if (!S_ISREG(info.st_mode)) return unsupported("not a regular file");
  if (static_cast<uint64_t>(info.st_size) > max_bytes) {
    return unsupported("larger than the limit of " + std::to_string(max_bytes) + " bytes");
  }
  return read_to_end(fd, path, max_bytes);
}

Result<void> read_up_to(const Fd& fd, const std::string& path, size_t wanted, Bytes& bytes) {
  // Not read into `bytes`: a vector zeroes its room before it is overwritten, and most files are smaller than
  // any room made ahead. Copying costs a fraction of that.
  uint8_t room[1u << 16];
  while (bytes.size() < wanted) {
    const ssize_t got = read(fd.get(), room, std::min(wanted - bytes.size(), sizeof(room)));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return from_errno("read " + escape(path), errno);
    if (got == 0) return {};
    append(bytes, {room, static_cast<size_t>(got)});
  }
  return {};
}

Result<Bytes> read_stream(const std::string& path, size_t max_bytes) {
  TRY_ASSIGN(const Fd fd, open_file(path, O_RDONLY));
  return read_to_end(fd, path, max_bytes);
}

Result<void> write_bytes(const Fd& fd, const std::string& path, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t put = write(fd.get(), bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return from_errno("write " + escape(path), errno);
    bytes = bytes.subspan(static_cast<size_t>(put));
  }
  return {};
}

Result<void> write_file_atomically(const std::string& path, ByteView bytes, mode_t mode) {
  // A leading dot, so that whoever reads a folder of lists or keys passes over what is not finished.
  const size_t name_at = path.rfind('/') + 1;
  std::string temporary = path.substr(0, name_at) + "." + path.substr(name_at) + ".XXXXXX";
  Fd fd(mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) return from_errno("create " + escape(temporary), errno);
  auto written = write_bytes(fd, temporary, bytes);
  if (written && fchmod(fd.get(), mode) != 0) written = from_errno("chmod " + escape(temporary), errno);
  if (written && fsync(fd.get()) != 0) written = from_errno("fsync " + escape(temporary), errno);
  if (written && rename(temporary.c_str(), path.c_str()) != 0) {
    written = from_errno("rename to " + escape(path), errno);
  }
  if (!written) {
    (void)unlink(temporary.c_str());  // the first error is the one to report
    return written;
  }
  TRY_ASSIGN(const Fd folder, open_file(folder_of(path), O_RDONLY | O_DIRECTORY));
  if (fsync(folder.get()) != 0) return from_errno("fsync directory of " + escape(path), errno);
  return {};
}

Result<std::vector<std::string>> list_folder(const std::string& path) {
  Fd fd(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return from_errno("open directory " + escape(path), errno);
  return read_entries(std::move(fd), path);
}

Result<std::vector<std::string>> list_open_folder(const Fd& folder, const std::string& path) {
  // A description of its own: its position is not shared with other readers.
  Fd own(openat(folder.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!own) return from_errno("open directory " + escape(path), errno);
  return read_entries(std::move(own), path);
}

}  // namespace diglim
