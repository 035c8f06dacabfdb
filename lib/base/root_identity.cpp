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

// Without /proc it is another one: the first process of this system has mounted it.
Result<bool> is_root_of_first_process(const struct stat& root, const IdentityPaths& paths) {
  struct stat space = {};
  struct stat first = {};
  if (stat(paths.own_namespace.c_str(), &space) != 0 || space.st_ino != paths.first_namespace) return false;
  if (stat(paths.first_root.c_str(), &first) == 0) return is_same(root, first);
  if (errno == EACCES || errno == EPERM)
    return from_errno(
        "whether this is the running system's root, " + paths.first_root + " tells (CAP_SYS_PTRACE)", errno);
  return false;
}

}  // namespace

Result<std::string> root_identity(const std::string& root, const IdentityPaths& paths) {
  struct stat own = {};
  struct stat other = {};
  if (stat(paths.own_root.c_str(), &own) != 0 || stat(root.c_str(), &other) != 0)
    return from_errno("stat " + escape(root), errno);
  if (is_same(own, other)) {
    TRY_ASSIGN(const bool first, is_root_of_first_process(own, paths));
    return first ? std::string() : "chroot " + std::to_string(own.st_dev) + " " + std::to_string(own.st_ino);
  }
  const MallocPtr<char> real(realpath(root.c_str(), nullptr));
  if (!real) return from_errno("resolve " + escape(root), errno);
  // In another mount namespace another root may have this path.
  struct stat mounts = {};
  struct stat first_mounts = {};
  const bool is_elsewhere =
      stat(paths.own_mounts.c_str(), &mounts) == 0 &&
      (stat(paths.first_mounts.c_str(), &first_mounts) != 0 || !is_same(mounts, first_mounts));
  return std::string(real.get()) + (is_elsewhere ? " in " + std::to_string(mounts.st_ino) : "");
}

Result<std::string> root_identity(const std::string& root) {
  return root_identity(root, {"/", "/proc/self/ns/pid", kFirstPidNamespace, "/proc/1/root",
                              "/proc/self/ns/mnt", "/proc/1/ns/mnt"});
}

}  // namespace diglim
