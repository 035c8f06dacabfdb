// SPDX-License-Identifier: Apache-2.0
#include "lib/base/root_identity.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>

#include "lib/base/owned.h"
#include "lib/base/text.h"

namespace diglim {
namespace {

// PROC_PID_INIT_INO in the kernel's include/linux/proc_ns.h, the same in every kernel since 3.8.
constexpr ino_t kFirstPidNamespace = 0xEFFFFFFC;

bool is_same(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

// Where there is no /proc, nobody can tell.
bool is_root_of_first_process(const struct stat& root) {
  struct stat space = {};
  struct stat first = {};
  return stat("/proc/self/ns/pid", &space) == 0 && space.st_ino == kFirstPidNamespace &&
         stat("/proc/1/root", &first) == 0 && is_same(root, first);
}

}  // namespace

Result<std::string> root_identity(const std::string& root) {
  struct stat own = {};
  struct stat other = {};
  if (stat("/", &own) != 0 || stat(root.c_str(), &other) != 0)
    return from_errno("stat " + escape(root), errno);
  if (is_same(own, other)) {
    if (is_root_of_first_process(own)) return std::string();
    return "chroot " + std::to_string(own.st_dev) + " " + std::to_string(own.st_ino);
  }
  const MallocPtr<char> real(realpath(root.c_str(), nullptr));
  if (!real) return from_errno("resolve " + escape(root), errno);
  return std::string(real.get());
}

}  // namespace diglim
