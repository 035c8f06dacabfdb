// SPDX-License-Identifier: Apache-2.0
// Reading a list from a file that may be anything: huge, a FIFO, growing, lying about its size.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/digest_list/digest_list.h"
#include "lib/rpm/header.h"

namespace diglim {
namespace {

// Memory grows with what was read, never with what was announced.
constexpr size_t kStep = 1u << 20;

// Appends to `bytes` until there are `wanted` of them or the file ends.
Result<void> read_up_to(int fd, const std::string& path, size_t wanted, Bytes& bytes) {
  while (bytes.size() < wanted) {
    const size_t old_size = bytes.size();
    const size_t step = std::min(wanted - old_size, kStep);
    bytes.resize(old_size + step);
    const ssize_t got = read(fd, bytes.data() + old_size, step);
    const int error = errno;
    bytes.resize(old_size + (got > 0 ? static_cast<size_t>(got) : 0));
    if (got < 0 && error != EINTR) return from_errno("read " + escape(path), error);
    if (got == 0) return {};
  }
  return {};
}

Result<void> read_head(int fd, const std::string& path, Bytes& bytes) {
  for (;;) {
    TRY_ASSIGN(const size_t wanted, rpm::package_head_size(bytes));
    if (wanted > kMaxListBytes)
      return unsupported("a header larger than " + std::to_string(kMaxListBytes) + " bytes");
    if (wanted <= bytes.size()) return {};
    const size_t before = bytes.size();
    TRY(read_up_to(fd, path, wanted, bytes));
    if (bytes.size() == before) return {};  // truncated: locate_package() says where
  }
}

}  // namespace

Result<DigestList> verify_digest_list_file(const std::string& path, const TrustStore& trust) {
  // O_NONBLOCK: a FIFO in place of a file must not hang us. It means nothing for a regular file.
  TRY_ASSIGN(const Fd fd, open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  struct stat info = {};
  if (fstat(fd.get(), &info) != 0) return from_errno("stat " + escape(path), errno);
  if (!S_ISREG(info.st_mode)) return unsupported("not a regular file");

  Bytes bytes;
  TRY(read_up_to(fd.get(), path, 4, bytes));
  if (rpm::looks_like_package(bytes)) {
    TRY(read_head(fd.get(), path, bytes));
  } else {
    // What the size says is believed only where it says no; files of /proc say 0, and files may grow.
    const bool says_too_large = static_cast<uint64_t>(info.st_size) > kMaxListBytes;
    if (!says_too_large) TRY(read_up_to(fd.get(), path, kMaxListBytes + 1, bytes));
    if (says_too_large || bytes.size() > kMaxListBytes)
      return unsupported("larger than the limit of " + std::to_string(kMaxListBytes) + " bytes");
  }
  return verify_digest_list(bytes, trust);
}

}  // namespace diglim
