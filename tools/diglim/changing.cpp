// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/changing.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>

#include "lib/base/text.h"

namespace diglim {
namespace {

constexpr std::chrono::milliseconds kPause(20);
constexpr std::chrono::minutes kLongest(5);

// Whoever had the lock before may have put another file in its place.
bool has_its_name(const Fd& fd, const std::string& path) {
  struct stat open = {}, named = {};
  return fstat(fd.get(), &open) == 0 && stat(path.c_str(), &named) == 0 && open.st_dev == named.st_dev &&
         open.st_ino == named.st_ino;
}

Result<Fd> open_locked(const std::string& path, int flags) {
  const auto end = std::chrono::steady_clock::now() + kLongest;
  for (;;) {
    Fd fd(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | flags, 0600));
    if (!fd) return from_errno("open " + escape(path), errno);
    const bool locked = flock(fd.get(), LOCK_EX | LOCK_NB) == 0;
    if (!locked && errno != EWOULDBLOCK && errno != EINTR) return from_errno("lock " + escape(path), errno);
    if (locked && has_its_name(fd, path)) return fd;
    if (std::chrono::steady_clock::now() >= end)
      return Error{ErrorCode::kIo, 0, escape(path) + " is being changed by another command; try again later"};
    if (!locked) std::this_thread::sleep_for(kPause);
  }
}

}  // namespace

Result<Fd> open_to_change(const std::string& path, int flags) {
  return open_locked(path, flags);
}

Result<Fd> lock_folder(const std::string& root, const std::string& folder) {
  if (!root.empty()) return open_locked(root + folder, O_DIRECTORY);
  std::string name = folder;
  std::ranges::replace(name, '/', '-');
  return open_locked("/run/diglim" + name + ".lock", O_CREAT | O_NOFOLLOW);
}

}  // namespace diglim
