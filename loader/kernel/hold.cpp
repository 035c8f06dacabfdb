// SPDX-License-Identifier: Apache-2.0
#include "loader/kernel/hold.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "loader/process.h"

namespace diglim {
namespace {

constexpr char kThread[] = "kdevtmpfs";
constexpr char kOfKernel[] = "PPid:\t2";  // kthreadd

// A new file system, mounted nowhere yet.
Result<Fd> new_mount(const char* type, unsigned attributes) {
  const Fd context(fsopen(type, FSOPEN_CLOEXEC));
  if (!context) return from_errno(std::string("open ") + type, errno);
  if ((attributes & MOUNT_ATTR_RDONLY) != 0)
    (void)fsconfig(context.get(), FSCONFIG_SET_FLAG, "ro", nullptr, 0);
  if (fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0)
    return from_errno(std::string("create ") + type, errno);
  Fd mount(fsmount(context.get(), FSMOUNT_CLOEXEC,
                   attributes | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
  if (!mount) return from_errno(std::string("mount ") + type, errno);
  return mount;
}

Result<void> is_another(const Fd& name_space) {
  struct stat theirs = {};
  struct stat ours = {};
  if (fstat(name_space.get(), &theirs) != 0 || stat("/proc/self/ns/mnt", &ours) != 0)
    return from_errno("stat a mount namespace", errno);
  if (theirs.st_ino == ours.st_ino)
    return unsupported(std::string("the kernel thread ") + kThread + " has no mount namespace of its own");
  return {};
}

// In a process of its own, which ends afterwards: this one stays in its namespace. Returns an errno.
int mount_there(const Fd& name_space, const Fd& folder, const Fd& cover) {
  const pid_t pid = fork();
  if (pid < 0) return errno;
  if (pid == 0) {
    // At the root, since a directory of devtmpfs can be removed from outside, and what is mounted there with
    // it.
    if (setns(name_space.get(), CLONE_NEWNS) != 0 ||
        move_mount(folder.get(), "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) != 0 ||
        move_mount(cover.get(), "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) != 0) {
      _exit(errno);
    }
    _exit(0);
  }
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

Result<Fd> find_namespace() {
  const auto thread = find_process(kThread, kOfKernel);
  if (!thread) {
    return unsupported(std::string("the kernel has no thread ") + kThread +
                       " (CONFIG_DEVTMPFS), whose mount namespace would hold the programs");
  }
  TRY_ASSIGN(Fd name_space, open_file("/proc/" + std::to_string(*thread) + "/ns/mnt", O_RDONLY));
  TRY(is_another(name_space));
  return name_space;
}

}  // namespace

Result<void> HiddenFolder::is_possible() {
  TRY(find_namespace());
  return {};
}

Result<HiddenFolder> HiddenFolder::create() {
  TRY_ASSIGN(const Fd name_space, find_namespace());
  TRY_ASSIGN(Fd folder, new_mount("bpf", 0));
  TRY_ASSIGN(const Fd cover, new_mount("tmpfs", MOUNT_ATTR_RDONLY));
  if (const int error = mount_there(name_space, folder, cover))
    return from_errno(std::string("mount bpffs in the namespace of ") + kThread, error);
  return HiddenFolder(std::move(folder));
}

std::string HiddenFolder::path() const {
  return "/proc/self/fd/" + std::to_string(mount_.get());
}

Result<void> HiddenFolder::pin(int fd, const std::string& name) const {
  if (bpf_obj_pin(fd, (path() + "/" + name).c_str()) != 0) return from_errno("pin " + name, errno);
  return {};
}

Result<Fd> HiddenFolder::open() const {
  return open_file(path(), O_RDONLY | O_DIRECTORY);
}

}  // namespace diglim
