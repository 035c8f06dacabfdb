// SPDX-License-Identifier: Apache-2.0
// What may be done to mounts, all of it: DIGLIM depends on none that anybody can reach (hidden.cpp tries to).
//
// Goal: after it, unknown code runs, or the loader cannot change lists any more.
// Expected: neither, and nothing is refused.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>

#include "selftests/kernel/attacks/attack.h"

namespace attacks {
namespace {

// In a process of its own, with a mount namespace of its own or in everybody's. What `change` returns is an
// errno.
int apart(bool own_namespace, const std::function<int()>& change) {
  const pid_t pid = fork();
  if (pid == 0) _exit(own_namespace && unshare(CLONE_NEWNS) != 0 ? errno : change());
  int status = 0;
  (void)waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

int lazy(const char* path) {
  return umount2(path, MNT_DETACH) == 0 ? 0 : errno;
}
void share_all() {
  (void)mount(nullptr, "/", nullptr, MS_REC | MS_SHARED, nullptr);
}
void unshare_all() {
  (void)mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
}

// Does everything still hold? Links go some time after the last reference.
Report judge(const char* step, int error) {
  if (error != 0) return refused(step, error, 0);
  (void)usleep(500'000);
  if (!unknown_is_denied()) return refused("the unknown ran", EIO, 0);
  const std::string path = scratch() + "/p9";
  (void)put(path, tiny_elf(109));
  std::string text;
  const int status = loader({"load", std::string(kBase) + "/lists/p9"}, &text);
  const int result = run({path});
  (void)loader({"unload", "p9"});
  if (status != 0 || result != 109) return refused("load: " + text, EIO, 0);
  return allowed(std::string(step) + ": it still enforces, and lists can change");
}

Report bpffs() {
  if (const int error = lazy("/sys/fs/bpf"); error != 0) return judge("umount -l /sys/fs/bpf", error);
  return judge("a tmpfs there", mount("tmpfs", "/sys/fs/bpf", "tmpfs", 0, nullptr) == 0 ? 0 : errno);
}

Report bind_mounts() {
  const std::string at = scratch();
  share_all();
  int error = 0;
  for (const char* folder : {"/etc", "/sys", "/"}) {
    if (error == 0 && mount(folder, at.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0) error = errno;
    // What is unmounted below must not go from its peers.
    if (error == 0 && mount(nullptr, at.c_str(), nullptr, MS_REC | MS_SLAVE, nullptr) != 0) error = errno;
    if (error == 0) error = lazy(at.c_str());
  }
  unshare_all();
  return judge("umount -l of recursive bind mounts", error);
}

// Of devtmpfs, too, over whose root the links are held.
Report devtmpfs() {
  const std::string at = scratch();
  int error = mount("devtmpfs", at.c_str(), "devtmpfs", 0, nullptr) == 0 ? 0 : errno;
  if (error == 0 && mount(nullptr, at.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) != 0) error = errno;
  if (error == 0 && mount(nullptr, at.c_str(), nullptr, MS_REMOUNT, nullptr) != 0) error = errno;
  if (error == 0) error = lazy(at.c_str());
  return judge("mount, remount, umount devtmpfs", error);
}

Report shared_copy() {
  share_all();
  const int error = apart(true, [] {
    for (const char* folder : {"/dev", "/sys"}) {
      if (const int result = lazy(folder); result != 0) return result;
    }
    return 0;
  });
  unshare_all();
  // They are gone here as well; what the others need comes back.
  (void)mount("devtmpfs", "/dev", "devtmpfs", 0, nullptr);
  (void)mount("sysfs", "/sys", "sysfs", 0, nullptr);
  (void)mount("securityfs", "/sys/kernel/security", "securityfs", 0, nullptr);
  (void)mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, nullptr);
  return judge("umount -l /dev and /sys by way of another namespace", error);
}

// The root of the initramfs cannot be pivoted away before 7.x, so another one is put over it first.
Report pivot() {
  const int error = apart(true, [] {
    const std::string at = scratch();
    const std::string next = at + "/next";
    if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("tmpfs", at.c_str(), "tmpfs", 0, nullptr) != 0 || mkdir(next.c_str(), 0755) != 0 ||
        chdir(at.c_str()) != 0 || mount(at.c_str(), "/", nullptr, MS_MOVE, nullptr) != 0 ||
        chroot(".") != 0 || mount("tmpfs", "/next", "tmpfs", 0, nullptr) != 0 ||
        mkdir("/next/old", 0755) != 0 || syscall(SYS_pivot_root, "/next", "/next/old") != 0 ||
        chdir("/") != 0)
      return errno;
    return lazy("/old");
  });
  return judge("pivot_root, umount -l of all that was below", error);
}

constexpr Attack kAttacks[] = {
    {"mount-bpffs", kEnforce | kHarmless, nullptr, bpffs, "umount bpffs, mount something in its place"},
    {"mount-bind", kEnforce | kHarmless, nullptr, bind_mounts, "unmount recursive bind mounts"},
    {"mount-devtmpfs", kEnforce | kHarmless, nullptr, devtmpfs, "mount, remount and unmount devtmpfs"},
    {"mount-pivot", kEnforce | kHarmless, nullptr, pivot, "pivot_root in another namespace"},
    {"mount-shared", kEnforce | kHarmless | kLast, nullptr, shared_copy,
     "unmount by way of another namespace"},
};

}  // namespace

std::span<const Attack> mount_attacks() {
  return kAttacks;
}

}  // namespace attacks
