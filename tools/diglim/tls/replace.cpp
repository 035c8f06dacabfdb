// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/tls/replace.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "lib/base/text.h"

namespace diglim {
namespace {

Result<void> fill_like(const Fd& fd, const std::string& path, const struct stat& info, ByteView bytes) {
  TRY(write_bytes(fd, path, bytes));
  if (fchown(fd.get(), info.st_uid, info.st_gid) != 0) return from_errno("chown " + escape(path), errno);
  if (fchmod(fd.get(), info.st_mode & 0777) != 0) return from_errno("chmod " + escape(path), errno);
  if (fsync(fd.get()) != 0) return from_errno("fsync " + escape(path), errno);
  return {};
}

}  // namespace

Result<void> replace_file(const Fd& old, const std::string& path, ByteView bytes) {
  struct stat info = {};
  if (fstat(old.get(), &info) != 0) return from_errno("stat " + escape(path), errno);
  const size_t name_at = path.rfind('/') + 1;
  const std::string folder = name_at == 0 ? "." : path.substr(0, name_at);
  std::string temporary = path.substr(0, name_at) + "." + path.substr(name_at) + ".XXXXXX";
  const Fd fd(mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) return from_errno("create " + escape(temporary), errno);
  auto written = fill_like(fd, temporary, info, bytes);
  if (written && rename(temporary.c_str(), path.c_str()) != 0)
    written = from_errno("rename to " + escape(path), errno);
  if (!written) {
    (void)unlink(temporary.c_str());  // the first error is the one to report
    return written;
  }
  TRY_ASSIGN(const Fd parent, open_file(folder, O_RDONLY | O_DIRECTORY));
  if (fsync(parent.get()) != 0) return from_errno("fsync directory of " + escape(path), errno);
  return {};
}

}  // namespace diglim
