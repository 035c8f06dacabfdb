// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/known/links.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>

namespace diglim::known {
namespace {

// Where an open directory lies; empty if /proc does not say.
std::string place_of(int fd) {
  char target[PATH_MAX];
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t size = readlink(link.c_str(), target, sizeof(target));
  if (size <= 0 || target[0] != '/') return {};
  std::string place(target, static_cast<size_t>(size));
  return place == "/" ? std::string() : place;
}

}  // namespace

LinkResolver::LinkResolver(const std::string& root)
    : root_(open((root.empty() ? "/" : root).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {
  if (root_) real_root_ = place_of(root_.get());
}

std::string LinkResolver::resolve(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return path;
  const std::string folder = path.substr(0, slash);
  if (folder.empty() || !root_) return path;
  const auto [entry, is_new] = folders_.emplace(folder, folder);
  if (is_new) {
    open_how how = {};
    how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
    how.resolve = RESOLVE_IN_ROOT;
    const Fd fd(static_cast<int>(syscall(SYS_openat2, root_.get(), folder.c_str(), &how, sizeof(how))));
    const std::string place = fd ? place_of(fd.get()) : "";
    if (fd && place.starts_with(real_root_)) entry->second = place.substr(real_root_.size());
  }
  return entry->second + path.substr(slash);
}

}  // namespace diglim::known
