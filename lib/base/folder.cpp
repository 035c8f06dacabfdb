// SPDX-License-Identifier: Apache-2.0
#include "lib/base/folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

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
  const std::string path = path_ + "/" + name;
  auto content = read_open_file(fd, path, max_bytes);
  if (!content && content.error().code == ErrorCode::kUnsupported)
    return with_context(escape(path), content.error());
  return content;
}

Result<bool> Folder::exists(const std::string& name) const {
  struct stat info = {};
  if (fstatat(fd_.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) return true;
  if (errno == ENOENT) return false;
  return failed("stat", name, errno);
}

Result<std::vector<std::string>> Folder::list() const {
  return list_open_folder(fd_, path_);
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
  auto written = write_bytes(file.fd, path_ + "/" + name, content);
  if (written && fchmod(file.fd.get(), 0644) != 0) written = failed("chmod", name, errno);
  if (written) return file;
  discard(file);
  return written.error();
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
