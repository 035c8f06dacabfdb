// SPDX-License-Identifier: Apache-2.0
#include "tools/file_digests.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "lib/base/file.h"
#include "lib/base/text.h"

namespace diglim {
namespace {

constexpr size_t kPieceBytes = 256u << 10;

Result<struct stat> stat_of(const std::string& path, bool follow) {
  struct stat info = {};
  if (fstatat(AT_FDCWD, path.c_str(), &info, follow ? 0 : AT_SYMLINK_NOFOLLOW) != 0) {
    return from_errno("stat " + escape(path), errno);
  }
  return info;
}

class Walker {
 public:
  Walker(HashAlgo algo, const std::function<void(std::string_view)>& on_file)
      : algo_(algo), on_file_(on_file) {}

  Result<void> add_named(const std::string& path) {
    TRY_ASSIGN(const struct stat info, stat_of(path, true));
    if (!S_ISDIR(info.st_mode)) return add_file(path);
    const size_t before = result_.files;
    TRY(add_folder(path, info.st_dev));
    if (result_.files == before) return invalid("no regular file in " + escape(path));
    return {};
  }

  FileDigests take() { return std::move(result_); }

 private:
  Result<void> add_file(const std::string& path) {
    on_file_(path);
    TRY_ASSIGN(Bytes digest, digest_file(path, algo_));
    result_.digests.insert(std::move(digest));
    ++result_.files;
    return {};
  }

  // Folders wait in a list, not on the stack: how deep they nest is not ours to say.
  Result<void> add_folder(const std::string& path, dev_t device) {
    std::vector<std::string> waiting = {path};
    while (!waiting.empty()) {
      const std::string folder = std::move(waiting.back());
      waiting.pop_back();
      TRY_ASSIGN(const std::vector<std::string> names, list_folder(folder));
      for (const std::string& name : names) {
        std::string child = folder + (folder.ends_with('/') ? "" : "/") + name;
        TRY_ASSIGN(const struct stat info, stat_of(child, false));
        if (S_ISREG(info.st_mode)) TRY(add_file(child));
        if (S_ISDIR(info.st_mode) && info.st_dev == device) waiting.push_back(std::move(child));
      }
    }
    return {};
  }

  HashAlgo algo_;
  const std::function<void(std::string_view)>& on_file_;
  FileDigests result_;
};

}  // namespace

Result<Bytes> digest_file(const std::string& path, HashAlgo algo) {
  // O_NONBLOCK: a FIFO in place of a file must not hang us.
  TRY_ASSIGN(const Fd fd, open_file(path, O_RDONLY | O_NONBLOCK));
  struct stat info = {};
  if (fstat(fd.get(), &info) != 0) return from_errno("stat " + escape(path), errno);
  if (!S_ISREG(info.st_mode)) return unsupported(escape(path) + " is not a regular file");
  return digest_open_file(fd, path, algo);
}

Error too_large(const std::string& path) {
  return unsupported(escape(path) + " is larger than 4 GiB, and DIGLIM never knows such a file");
}

Result<Bytes> digest_open_file(const Fd& fd, const std::string& path, HashAlgo algo) {
  struct stat info = {};
  if (fstat(fd.get(), &info) != 0) return from_errno("stat " + escape(path), errno);
  // Not read first: one without blocks takes no room and hours.
  if (static_cast<uint64_t>(info.st_size) > kMaxKnownBytes) return too_large(path);
  TRY_ASSIGN(Hasher hasher, Hasher::create(algo));
  Bytes piece(kPieceBytes);
  uint64_t size = 0;
  for (;;) {
    const ssize_t got = read(fd.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return from_errno("read " + escape(path), errno);
    if (got == 0) return hasher.finish();
    if ((size += static_cast<uint64_t>(got)) > kMaxKnownBytes) return too_large(path);
    TRY(hasher.update(ByteView(piece).first(static_cast<size_t>(got))));
  }
}

Result<FileDigests> digest_files(const std::vector<std::string>& paths, HashAlgo algo,
                                 const std::function<void(std::string_view)>& on_file) {
  Walker walker(algo, on_file);
  for (const std::string& path : paths) TRY(walker.add_named(path));
  return walker.take();
}

}  // namespace diglim
