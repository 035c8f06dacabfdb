// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/explain/open.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "lib/base/text.h"
#include "tools/diglim/known/links.h"

namespace diglim::explain {
namespace {

Result<Named> open_path(const Fd& root, const std::string& path, uint64_t resolve) {
  open_how how = {};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = resolve;
  Named named;
  named.fd = Fd(static_cast<int>(syscall(SYS_openat2, root.get(), path.c_str(), &how, sizeof(how))));
  if (!named.fd && (errno == ELOOP || errno == ENOTDIR)) errno = ENOENT;
  if (!named.fd || fstat(named.fd.get(), &named.info) != 0) return from_errno("open " + escape(path), errno);
  return named;
}

Result<Fd> open_root(const std::string& root) {
  return open_file(root.empty() ? "/" : root, O_PATH | O_DIRECTORY);
}

// The bits of the group are those of an access list, too, if there is one.
bool is_only_roots(const struct stat& info) {
  return info.st_uid == 0 && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

}  // namespace

Result<Named> find_named(const std::string& root, const std::string& path) {
  constexpr uint64_t kNoLinks = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS;
  TRY_ASSIGN(const Fd top, open_root(root));
  TRY_ASSIGN(Named named, open_path(top, path, kNoLinks));
  named.only_root = is_only_roots(named.info);
  for (size_t slash = 0; named.only_root && slash != std::string::npos; slash = path.find('/', slash + 1)) {
    TRY_ASSIGN(const Named folder, open_path(top, path.substr(0, slash + 1), kNoLinks));
    named.only_root = is_only_roots(folder.info);
  }
  return named;
}

Result<Fd> open_named(const Named& named, const std::string& path) {
  const int fd = open(("/proc/self/fd/" + std::to_string(named.fd.get())).c_str(),
                      O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return from_errno("open " + escape(path), errno);
  return Fd(fd);
}

std::string follow_links(const std::string& root, const std::string& path) {
  const auto top = open_root(root);
  const auto named =
      top ? open_path(*top, path, root.empty() ? 0 : RESOLVE_IN_ROOT) : Result<Named>(top.error());
  if (!named) return known::LinkResolver(root).resolve(path);
  const auto place = [](const Fd& fd) {
    std::error_code error;
    return std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd.get()), error).string();
  };
  const std::string whole = place(named->fd);
  const std::string above = root.empty() ? "" : place(*top);
  return whole.starts_with(above + "/") ? whole.substr(above.size()) : path;
}

}  // namespace diglim::explain
