// SPDX-License-Identifier: Apache-2.0
#include "rpm-plugin/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "lib/base/text.h"

namespace diglim {
namespace {

// More files than this are synced with their whole file system: one journal commit in place of hundreds.
constexpr size_t kMaxSingleSyncs = 8;

Result<Fd> open_or_make(int parent, const std::string& name, bool follow) {
  const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW);
  Fd fd(openat(parent, name.c_str(), flags));
  if (!fd && errno == ENOENT) {
    if (mkdirat(parent, name.c_str(), 0755) != 0 && errno != EEXIST) return from_errno("create", errno);
    fd = Fd(openat(parent, name.c_str(), flags));
  }
  if (!fd) return from_errno("open", errno);
  return fd;
}

Result<void> write_all(int fd, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t put = write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return from_errno("write", errno);
    bytes = bytes.subspan(static_cast<size_t>(put));
  }
  return {};
}

}  // namespace

Result<Folder> Folder::open(const std::string& root, std::string_view path) {
  const bool is_host = root.empty() || root == "/";
  std::string shown = is_host ? "" : root;
  auto fd = open_file(is_host ? "/" : root, O_RDONLY | O_DIRECTORY);
  if (!fd) return std::move(fd).error();
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    const std::string name(path.substr(0, slash));
    path.remove_prefix(std::min(slash + 1, path.size()));
    shown += "/" + name;
    auto next = open_or_make(fd->get(), name, is_host);
    if (!next) return with_context(escape(shown), next.error());
    fd = std::move(next);
  }
  return Folder(std::move(*fd), shown);
}

Error Folder::failed(std::string_view action, const std::string& name, int error) const {
  return from_errno(std::string(action) + " " + escape(path_ + "/" + name), error);
}

Result<Bytes> Folder::read(const std::string& name, size_t max_bytes) const {
  const Fd fd(openat(fd_.get(), name.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return failed("open", name, errno);
  struct stat info = {};
  if (fstat(fd.get(), &info) != 0) return failed("stat", name, errno);
  const auto size = static_cast<size_t>(info.st_size);
  if (!S_ISREG(info.st_mode) || size > max_bytes)
    return unsupported(escape(path_ + "/" + name) + " is no regular file of a sensible size");
  Bytes content(size);
  size_t used = 0;
  while (used < size) {
    const ssize_t got = ::read(fd.get(), content.data() + used, size - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("read", name, errno);
    if (got == 0) break;
    used += static_cast<size_t>(got);
  }
  content.resize(used);
  return content;
}

Result<bool> Folder::exists(const std::string& name) const {
  struct stat info = {};
  if (fstatat(fd_.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) return true;
  if (errno == ENOENT) return false;
  return failed("stat", name, errno);
}

Result<std::vector<std::string>> Folder::list() const {
  // A description of its own: its position is not shared with other readers.
  Fd own(openat(fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!own) return failed("open", "", errno);
  const auto close_folder = [](DIR* folder) { (void)closedir(folder); };
  const std::unique_ptr<DIR, decltype(close_folder)> folder(fdopendir(own.get()), close_folder);
  if (!folder) return failed("open", "", errno);
  (void)own.release();  // closedir() closes it
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(folder.get());
    if (entry == nullptr && errno != 0) return failed("read", "", errno);
    if (entry == nullptr) break;
    std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<PendingFile> Folder::prepare(const std::string& name, ByteView content) const {
  PendingFile file;
  file.name = name;
  // One writer for each folder (rpm's lock), so a fixed name: what a crash leaves is overwritten, not heaped
  // up.
  file.temporary = "." + name + ".new";
  if (unlinkat(fd_.get(), file.temporary.c_str(), 0) != 0 && errno != ENOENT)
    return failed("remove", file.temporary, errno);
  file.fd = Fd(openat(fd_.get(), file.temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file.fd) return failed("create", file.temporary, errno);
  auto written = write_all(file.fd.get(), content);
  if (written && fchmod(file.fd.get(), 0644) != 0) written = from_errno("chmod", errno);
  if (written) return file;
  discard(file);
  return with_context(escape(path_ + "/" + name), written.error());
}

Result<void> Folder::sync(const std::vector<PendingFile>& files) const {
  if (files.size() > kMaxSingleSyncs) {
    if (syncfs(fd_.get()) != 0) return failed("sync", "", errno);
    return {};
  }
  for (const PendingFile& file : files) {
    if (fsync(file.fd.get()) != 0) return failed("sync", file.name, errno);
  }
  return {};
}

Result<void> Folder::commit(const PendingFile& file) const {
  if (renameat(fd_.get(), file.temporary.c_str(), fd_.get(), file.name.c_str()) == 0) return {};
  const int error = errno;
  discard(file);
  return failed("rename to", file.name, error);
}

void Folder::discard(const PendingFile& file) const {
  (void)unlinkat(fd_.get(), file.temporary.c_str(), 0);  // the first error is the one to report
}

Result<void> Folder::sync_entries() const {
  if (fsync(fd_.get()) != 0) return failed("sync", "", errno);
  return {};
}

Result<void> Folder::write(const std::string& name, ByteView content) const {
  std::vector<PendingFile> files;
  TRY_ASSIGN(PendingFile file, prepare(name, content));
  files.push_back(std::move(file));
  if (auto synced = sync(files); !synced) {
    discard(files.front());
    return synced;
  }
  TRY(commit(files.front()));
  return sync_entries();
}

Result<void> Folder::remove(const std::string& name) const {
  if (unlinkat(fd_.get(), name.c_str(), 0) != 0 && errno != ENOENT) return failed("remove", name, errno);
  return {};
}

}  // namespace diglim
