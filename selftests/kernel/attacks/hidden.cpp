// SPDX-License-Identifier: Apache-2.0
// Attacks on the mount namespace of kdevtmpfs, in which the links are pinned: each way into it.
//
// Goal: be in that namespace, or reach its mounts from outside. From there on the pins would be anybody's.
// Expected: EPERM or EACCES at the entrance. With DIGLIM off the namespace is there all the same, and open.
#include <fcntl.h>
#include <linux/fuse.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <set>

#include "selftests/kernel/attacks/attack.h"
#include "selftests/kernel/attacks/pins.h"

namespace attacks {
namespace {

// What older headers lack.
constexpr unsigned long kPidfdGetMountNamespace = _IO(0xff, 3);
struct MountNamespaceInfo {
  uint32_t size;
  uint32_t mounts;
  uint64_t id;
};
constexpr unsigned long kNamespaceNext = _IOR(0xb7, 11, MountNamespaceInfo);
constexpr unsigned long kNamespacePrevious = _IOR(0xb7, 12, MountNamespaceInfo);

std::string proc_path(const char* name) {
  return "/proc/" + std::to_string(process_named("kdevtmpfs")) + "/" + name;
}

Report refused_entrance(const char* step, int error) {
  return refused(step, error, error == EACCES ? EACCES : EPERM);
}

// A descriptor of the namespace: does it let us in?
Report judge_entrance(const char* step, const Fd& fd, int error) {
  if (!fd) return refused_entrance(step, error);
  if (setns(fd.get(), CLONE_NEWNS) != 0) return refused_entrance("setns", errno);
  return allowed(std::string(step) + ": entered");
}

Report open_namespace() {
  const Fd fd(open(proc_path("ns/mnt").c_str(), O_RDONLY | O_CLOEXEC));
  return judge_entrance("open /proc/PID/ns/mnt", fd, errno);
}
Report open_of_thread() {
  const std::string pid = std::to_string(process_named("kdevtmpfs"));
  const Fd fd(open(("/proc/" + pid + "/task/" + pid + "/ns/mnt").c_str(), O_RDONLY | O_CLOEXEC));
  return judge_entrance("open /proc/PID/task/PID/ns/mnt", fd, errno);
}
Report open_path() {
  const Fd path(open(proc_path("ns/mnt").c_str(), O_PATH | O_CLOEXEC));
  if (!path) return refused_entrance("open with O_PATH", errno);
  const Fd fd(open(("/proc/self/fd/" + std::to_string(path.get())).c_str(), O_RDONLY | O_CLOEXEC));
  return judge_entrance("open again", fd, errno);
}
Report bind_namespace() {
  const std::string at = scratch() + "/ns";
  (void)put(at, {});
  if (mount(proc_path("ns/mnt").c_str(), at.c_str(), nullptr, MS_BIND, nullptr) != 0)
    return refused_entrance("bind mount of /proc/PID/ns/mnt", errno);
  const Fd fd(open(at.c_str(), O_RDONLY | O_CLOEXEC));
  return judge_entrance("open the bind mount", fd, errno);
}
Fd pidfd() {
  return Fd(static_cast<int>(syscall(SYS_pidfd_open, process_named("kdevtmpfs"), 0)));
}
Report by_pidfd() {
  return judge_entrance("pidfd_open", pidfd(), errno);
}
Report by_pidfd_ioctl() {
  const Fd process = pidfd();
  const Fd fd(ioctl(process.get(), kPidfdGetMountNamespace, 0));
  if (!fd && (errno == ENOTTY || errno == EINVAL))
    return not_tried("this kernel has no PIDFD_GET_MNT_NAMESPACE");
  return judge_entrance("PIDFD_GET_MNT_NAMESPACE", fd, errno);
}

Report open_folder(const char* name) {
  const Fd fd(open(proc_path(name).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return fd ? allowed(std::string("opened /proc/PID/") + name) : refused_entrance("open", errno);
}
Report root() {
  return open_folder("root");
}
Report root_up() {
  return open_folder("root/..");
}
Report working_directory() {
  return open_folder("cwd");
}
// Makes what is in there spread to whoever copies the namespace: by the path, or from inside.
Report set_propagation() {
  mount_attr attributes = {};
  attributes.propagation = MS_SHARED;
  std::string path = proc_path("root");
  if (syscall(SYS_mount_setattr, AT_FDCWD, path.c_str(), 0, &attributes, sizeof(attributes)) != 0) {
    if (errno != EINVAL) return refused_entrance("mount_setattr", errno);
    if (const Report entered = open_namespace(); entered.outcome != Outcome::kAllowed) return entered;
    path = "/";
    if (syscall(SYS_mount_setattr, AT_FDCWD, path.c_str(), 0, &attributes, sizeof(attributes)) != 0)
      return refused_entrance("mount_setattr inside", errno);
  }
  attributes.propagation = MS_PRIVATE;
  (void)syscall(SYS_mount_setattr, AT_FDCWD, path.c_str(), 0, &attributes, sizeof(attributes));
  return allowed("mount_setattr of " + path + ": it is shared");
}
Report unmount_path() {
  if (umount2(proc_path("root/..").c_str(), MNT_DETACH) == 0) return allowed("unmounted");
  return errno == EINVAL ? allowed("the kernel found it, and refused only since it is not of this namespace")
                         : refused_entrance("umount -l", errno);
}

// In there, a mount can be taken away: with DIGLIM off one of our own.
Report unmount_inside() {
  const Fd fd(open(proc_path("ns/mnt").c_str(), O_RDONLY | O_CLOEXEC));
  if (const Report entered = judge_entrance("open", fd, errno); entered.outcome != Outcome::kAllowed)
    return entered;
  const char* at = "/attack";
  if (mkdir(at, 0755) != 0 || mount("bpf", at, "bpf", 0, nullptr) != 0) return not_tried("mount", errno);
  const bool gone = umount2(at, MNT_DETACH) == 0;
  const int error = errno;
  (void)rmdir(at);
  return gone ? allowed("entered, and unmounted a bpffs") : refused_entrance("umount -l", error);
}

// The namespaces that any process but kdevtmpfs shows.
std::set<ino_t> seen_namespaces() {
  std::set<ino_t> seen;
  const pid_t hidden = process_named("kdevtmpfs");
  for (int pid = 1; pid < 5000; ++pid) {
    struct stat info = {};
    if (pid != hidden && stat(("/proc/" + std::to_string(pid) + "/ns/mnt").c_str(), &info) == 0)
      seen.insert(info.st_ino);
  }
  return seen;
}
bool is_hidden(const Fd& fd, const std::set<ino_t>& seen) {
  struct stat info = {};
  return fstat(fd.get(), &info) == 0 && !seen.contains(info.st_ino);
}

// From one namespace to the next, without any path.
Report walk_namespaces() {
  const auto seen = seen_namespaces();
  int error = 0;
  for (const unsigned long direction : {kNamespaceNext, kNamespacePrevious}) {
    Fd fd(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
    while (fd) {
      MountNamespaceInfo info = {.size = sizeof(info), .mounts = 0, .id = 0};
      fd = Fd(ioctl(fd.get(), direction, &info));
      if (!fd && errno != ENOENT) error = errno;
      if (fd && is_hidden(fd, seen)) return judge_entrance("NS_MNT_GET_NEXT", fd, 0);
    }
  }
  if (error == ENOTTY || error == EINVAL) return not_tried("this kernel has no NS_MNT_GET_NEXT");
  return error != 0 ? refused_entrance("NS_MNT_GET_NEXT", error) : not_tried("no other namespace was found");
}

// By its number, which is small: nsfs takes a handle without inode number and type for what it is.
Report open_by_handle() {
  constexpr int kNsfsRoot = -10003;  // FD_NSFS_ROOT
  constexpr int kType = 0xf1;        // FILEID_NSFS
  // The head, then number of the namespace, type, inode number.
  alignas(file_handle) uint8_t buffer[sizeof(file_handle) + 16] = {};
  auto* handle = reinterpret_cast<file_handle*>(buffer);
  const auto seen = seen_namespaces();
  int error = 0;
  for (uint64_t id = 1; id < 64; ++id) {
    handle->handle_bytes = 16;
    handle->handle_type = kType;
    memcpy(handle->f_handle, &id, sizeof(id));
    const Fd fd(open_by_handle_at(kNsfsRoot, handle, O_RDONLY | O_CLOEXEC));
    if (!fd && (errno == EPERM || errno == EACCES)) error = errno;
    if (!fd && (errno == EBADF || errno == EOPNOTSUPP))
      return not_tried("this kernel opens no nsfs by handle");
    if (fd && is_hidden(fd, seen) && setns(fd.get(), CLONE_NEWNS) == 0)
      return allowed("open_by_handle_at: entered by number " + std::to_string(id));
  }
  return error != 0 ? refused_entrance("open_by_handle_at", error) : not_tried("no number fits");
}

// The name of a device says where kdevtmpfs makes its node: here in what is mounted over everything.
Report device_above() {
  Fd device(open("/dev/cuse", O_RDWR | O_CLOEXEC));
  uint8_t request[8192];
  if (!device || read(device.get(), request, sizeof(request)) < static_cast<ssize_t>(sizeof(fuse_in_header)))
    return not_tried("/dev/cuse", errno);
  constexpr char kName[] = "DEVNAME=..!attack";
  struct {
    fuse_out_header head;
    cuse_init_out body;
    char name[sizeof(kName)];
  } __attribute__((packed)) answer = {};
  answer.head.len = sizeof(answer);
  answer.head.unique = reinterpret_cast<const fuse_in_header*>(request)->unique;
  answer.body.major = FUSE_KERNEL_VERSION;
  answer.body.minor = 31;
  answer.body.max_read = 4096;
  answer.body.max_write = 4096;
  memcpy(answer.name, kName, sizeof(kName));
  if (write(device.get(), &answer, sizeof(answer)) < 0) return not_tried("answer CUSE_INIT", errno);
  bool appeared = false;
  for (int i = 0; i < 100 && !appeared; ++i) {
    appeared = access("/dev/attack", F_OK) == 0;
    (void)usleep(20'000);
  }
  device = Fd();
  if (!diglim_is_there())
    return appeared ? allowed("kdevtmpfs made the node above its root") : not_tried("no node appeared");
  if (!unknown_is_denied()) return allowed("nothing is enforced any more");
  return run({known_copy("elf", false)}) == kKnownCode ? harmless("a node was made, everything holds")
                                                       : allowed("what is known does not run any more");
}

constexpr Attack kAttacks[] = {
    {"hidden-ns", kAll, nullptr, open_namespace, "open /proc/PID/ns/mnt of kdevtmpfs"},
    {"hidden-ns-thread", kAll, nullptr, open_of_thread, "the same of its thread"},
    {"hidden-ns-path", kAll, nullptr, open_path, "the same by O_PATH"},
    {"hidden-ns-bind", kAll, nullptr, bind_namespace, "by a bind mount of it"},
    {"hidden-pidfd", kAll, nullptr, by_pidfd, "setns with a pidfd of kdevtmpfs"},
    {"hidden-pidfd-ioctl", kAll, nullptr, by_pidfd_ioctl, "its namespace from a pidfd"},
    {"hidden-root", kAll, nullptr, root, "/proc/PID/root of kdevtmpfs"},
    {"hidden-root-up", kAll, nullptr, root_up, "what is mounted over that root"},
    {"hidden-cwd", kAll, nullptr, working_directory, "/proc/PID/cwd of kdevtmpfs"},
    {"hidden-setattr", kAll, nullptr, set_propagation, "make its mounts shared from outside"},
    {"hidden-umount", kAll, nullptr, unmount_path, "umount -l through /proc/PID/root"},
    {"hidden-umount-inside", kAll, nullptr, unmount_inside, "enter, then unmount a bpffs"},
    {"hidden-next", kAll, nullptr, walk_namespaces, "from one namespace to the next"},
    {"hidden-handle", kAll, nullptr, open_by_handle, "open_by_handle_at on nsfs"},
    {"hidden-device", kOff | kEnforce, nullptr, device_above, "a CUSE device named ..!attack"},
};

}  // namespace

std::span<const Attack> hidden_attacks() {
  return kAttacks;
}

}  // namespace attacks
