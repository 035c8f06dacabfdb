// SPDX-License-Identifier: Apache-2.0
// Attacks on the pins: by name, by mounts, by other mount namespaces.
//
// Goal: the pins, which keep the programs attached, are gone from the first mount namespace.
// Expected: EPERM and an event; private copies may be unmounted, since nothing hangs on them.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <functional>

#include "selftests/attacks/attack.h"
#include "selftests/attacks/pins.h"

namespace attacks {
namespace {

constexpr char kPin[] = "remove a pin of DIGLIM";
constexpr char kUmount[] = "unmount the pins of DIGLIM";
constexpr char kFolder[] = "/sys/fs/bpf/diglim";
constexpr char kKeys[] = "/sys/fs/bpf/diglim/keys";

bool exists(const std::string& path) {
  return access(path.c_str(), F_OK) == 0;
}

Report judge(const char* step, int result) {
  const int error = errno;
  return result == 0 ? allowed(step) : refused(step, error, EPERM);
}

Report unlink_pin() {
  if (!make_pins()) return not_tried("no pins", errno);
  return judge("unlink", unlink("/sys/fs/bpf/diglim/diglim_kill"));
}
Report rename_pin() {
  if (!make_pins()) return not_tried("no pins", errno);
  const int result = rename("/sys/fs/bpf/diglim/diglim_exec", "/sys/fs/bpf/elsewhere");
  const Report report = judge("rename", result);
  if (result == 0) (void)rename("/sys/fs/bpf/elsewhere", "/sys/fs/bpf/diglim/diglim_exec");
  return report;
}
Report rename_folder() {
  if (!make_pins()) return not_tried("no pins", errno);
  const int result = rename(kFolder, "/sys/fs/bpf/elsewhere");
  const Report report = judge("rename", result);
  if (result == 0) (void)rename("/sys/fs/bpf/elsewhere", kFolder);
  return report;
}
// The folder is not empty, which the kernel finds out only after it has asked.
Report rmdir_folder() {
  if (!make_pins()) return not_tried("no pins", errno);
  if (rmdir(kFolder) == 0 || errno == ENOTEMPTY) return allowed("rmdir was only refused for what is in it");
  return refused("rmdir", errno, EPERM);
}
Report unlink_by_bind() {
  if (!make_pins()) return not_tried("no pins", errno);
  const std::string at = scratch();
  if (mount(kFolder, at.c_str(), nullptr, MS_BIND, nullptr) != 0) return not_tried("bind", errno);
  const Report report = judge("unlink by a bind mount", unlink((at + "/diglim_kill").c_str()));
  (void)umount2(at.c_str(), MNT_DETACH);
  return report;
}

// Brings back what a successful attack took away, so that the next one finds it.
void restore() {
  (void)mkdir("/sys", 0755);
  if (!exists("/sys/kernel")) (void)mount("sysfs", "/sys", "sysfs", 0, nullptr);
  if (!exists("/sys/kernel/security/lsm"))
    (void)mount("securityfs", "/sys/kernel/security", "securityfs", 0, nullptr);
  if (!exists("/sys/fs/cgroup/cgroup.procs")) (void)mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, nullptr);
  struct stat here = {};
  struct stat above = {};
  if (stat("/sys/fs/bpf", &here) == 0 && stat("/sys/fs", &above) == 0 && here.st_dev == above.st_dev) {
    (void)mount("bpf", "/sys/fs/bpf", "bpf", 0, nullptr);
  }
}

// Are the pins gone after `attack`, which may have answered with an errno?
Report judge_pins(const char* step, int error) {
  const bool gone = !exists(kKeys);
  if (gone) restore();
  if (gone && pins_are_real() && unknown_is_denied())
    return allowed(std::string(step) + ": the pins are gone, the keeper holds");
  if (gone) return allowed(std::string(step) + ": the pins are gone");
  return error != 0 ? refused(step, error, EPERM)
                    : harmless(std::string(step) + ": done, but the pins are still there");
}

// In a mount namespace of its own. What `attack` returns is an errno.
int in_namespace(bool with_propagation, const std::function<int()>& attack) {
  const pid_t pid = fork();
  if (pid == 0) {
    if (unshare(CLONE_NEWNS) != 0) _exit(255);
    if (!with_propagation && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) _exit(255);
    _exit(attack());
  }
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

template <typename Try>
Report attempt(const char* step, Try attack) {
  if (!make_pins()) return not_tried("no pins", errno);
  const int error = attack();
  Report report = error == 255 ? not_tried("no mount namespace") : judge_pins(step, error);
  unshare_all();
  return report;
}

Report umount_bpffs() {
  return attempt("umount /sys/fs/bpf", [] { return umount2("/sys/fs/bpf", 0) == 0 ? 0 : errno; });
}
Report umount_lazy() {
  return attempt("umount -l /sys/fs/bpf", [] { return lazy("/sys/fs/bpf"); });
}
Report umount_ancestor() {
  return attempt("umount -l /sys", [] { return lazy("/sys"); });
}
Report umount_propagated() {
  return attempt("umount -l /sys/fs/bpf in another namespace", [] {
    share_all();
    return in_namespace(true, [] { return lazy("/sys/fs/bpf"); });
  });
}
Report umount_ancestor_propagated() {
  return attempt("umount -l /sys in another namespace", [] {
    share_all();
    return in_namespace(true, [] { return lazy("/sys"); });
  });
}
// The copy of /sys is a peer of /sys, so what is unmounted below one is below the other too.
Report umount_rbind() {
  return attempt("umount -l of a recursive bind of /sys", [] {
    const std::string at = scratch();
    share_all();
    if (mount("/sys", at.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0) return 255;
    const int error = lazy(at.c_str());
    // Without propagation it takes nothing along: then it has to be possible.
    unshare_all();
    return error != 0 && lazy(at.c_str()) != 0 ? EIO : error;
  });
}
Report umount_rbind_deep() {
  return attempt("umount -l of the root of a recursive bind of /", [] {
    const std::string at = scratch();
    share_all();
    return in_namespace(true, [&] {
      if (mount("/", at.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0) return 255;
      return lazy(at.c_str());
    });
  });
}
Report umount_moved() {
  return attempt("umount -l after moving bpffs", [] {
    const std::string at = scratch();
    unshare_all();
    if (mount("/sys/fs/bpf", at.c_str(), nullptr, MS_MOVE, nullptr) != 0) return 255;
    const int error = lazy(at.c_str());
    if (error != 0) (void)mount(at.c_str(), "/sys/fs/bpf", nullptr, MS_MOVE, nullptr);
    return error;
  });
}

// Removing a directory that is a mountpoint elsewhere unmounts it there, without asking for it.
Report rmdir_mountpoint() {
  return attempt("rmdir of the mountpoint /sys in another namespace", [] {
    return in_namespace(false, [] {
      if (umount2("/sys", MNT_DETACH) != 0) return 255;
      return rmdir("/sys") == 0 ? 0 : errno;
    });
  });
}
Report rename_mountpoint() {
  return attempt("rename over the mountpoint /sys in another namespace", [] {
    return in_namespace(false, [] {
      if (umount2("/sys", MNT_DETACH) != 0 || mkdir("/sys2", 0755) != 0) return 255;
      const int error = rename("/sys2", "/sys") == 0 ? 0 : errno;
      (void)rmdir("/sys2");
      return error;
    });
  });
}

// A mountpoint that only other namespaces have can be renamed, and takes the mount along: into a folder,
// where a bind mount copies it, and out again. What the bind mount then has lies in no folder of it.
Report umount_renamed() {
  return attempt("umount -l of a bind mount of a folder in which /sys was for a while", [] {
    const std::string at = scratch();
    const auto rename_elsewhere = [&at](const char* from, const char* to) {
      return in_namespace(false, [&] {
        (void)lazy(at.c_str());  // the copy, once there is one
        if (lazy(from) != 0) return 255;
        return rename(from, to) == 0 ? 0 : errno;
      });
    };
    share_all();
    if (mkdir("/folder", 0755) != 0) return 255;
    int error = rename_elsewhere("/sys", "/folder/sys");
    if (error == 0) {
      if (mount("/folder", at.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0) error = 255;
      if (rename_elsewhere("/folder/sys", "/sys") != 0) error = 255;
      if (error == 0) error = lazy(at.c_str());
    }
    (void)rmdir("/folder");
    return error;
  });
}

Report umount_race() {
  if (!make_pins()) return not_tried("no pins", errno);
  const PinsRace race = race_for_pins(40);
  const std::string count = std::to_string(race.tries) + " tries";
  if (!race.won) return refused(count, EPERM, EPERM);
  // They may go, as long as nothing that counts goes with them.
  return pins_are_real() && unknown_is_denied()
             ? harmless("the pins are gone after " + count + ", nothing else")
             : allowed("the pins are gone after " + count);
}

// What only we can see is ours.
Report umount_private() {
  const int error = in_namespace(false, [] {
    if (const int first = lazy("/sys/fs/bpf"); first != 0) return first;
    return lazy("/sys");
  });
  if (error != 0) return refused("umount of private copies", error, 0);
  return exists(kKeys) && unknown_is_denied() ? allowed("private copies can be unmounted, the pins stay")
                                              : refused("pins", EIO, 0);
}

// What every admin does, on a host whose mounts are shared, as systemd has them.
Report umount_bind() {
  const std::string at = scratch();
  share_all();
  const auto bind_and_umount = [&](const char* folder, int flags) {
    if (mount(folder, at.c_str(), nullptr, MS_BIND, nullptr) != 0) return EIO;
    return umount2(at.c_str(), flags) == 0 ? 0 : errno;
  };
  int error = bind_and_umount("/etc", 0);
  if (error == 0) error = bind_and_umount("/etc", MNT_DETACH);
  // Lazily it could take what is mounted below it along, and by that the pins.
  if (error == 0) error = bind_and_umount("/", 0);
  unshare_all();
  return error != 0 ? refused("umount of a bind mount", error, 0)
                    : allowed("bind mounts can be unmounted where mounts are shared");
}

// Whatever lies over the pins, the loader finds the real maps.
Report overmount() {
  if (mount("tmpfs", "/sys/fs/bpf", "tmpfs", 0, nullptr) != 0) return not_tried("mount", errno);
  std::string text;
  const int status = loader({"load", std::string(kBase) + "/lists/p9"}, &text);
  const std::string path = scratch() + "/p9";
  (void)put(path, tiny_elf(109));
  const int result = run({path});
  (void)loader({"unload", "p9"});
  if (umount2("/sys/fs/bpf", 0) != 0) return refused("umount of what lies over the pins", errno, 0);
  if (status != 0 || result != 109) return refused("load under a tmpfs: " + text, EIO, 0);
  return exists(kKeys) ? allowed("the loader still works, what lies over the pins can be unmounted")
                       : refused("pins", EIO, 0);
}

constexpr Attack kAttacks[] = {
    {"pin-unlink", kOff | kEnforce, kPin, unlink_pin, "unlink a pin"},
    {"pin-unlink-bind", kAll, kPin, unlink_by_bind, "unlink a pin by a bind mount"},
    {"pin-rename", kAll, kPin, rename_pin, "rename a pin"},
    {"pin-rename-folder", kAll, kPin, rename_folder, "rename the folder of the pins"},
    {"pin-rmdir", kAll, kPin, rmdir_folder, "remove the folder of the pins"},
    {"mount-over", kEnforce | kHarmless, nullptr, overmount, "mount a tmpfs over the pins"},
    {"umount-private", kEnforce | kHarmless, nullptr, umount_private, "unmount private copies"},
    {"umount-bind", kEnforce | kHarmless, nullptr, umount_bind, "unmount bind mounts"},
    {"mountpoint-rmdir", kOff | kEnforce | kLast, kPin, rmdir_mountpoint, "remove the mountpoint elsewhere"},
    {"mountpoint-rename", kOff | kEnforce | kLast, kPin, rename_mountpoint,
     "rename over the mountpoint elsewhere"},
    {"umount", kOff | kEnforce | kLast, kUmount, umount_bpffs, "umount /sys/fs/bpf"},
    {"umount-ancestor", kOff | kEnforce | kLast, kUmount, umount_ancestor, "umount -l /sys"},
    {"umount-moved", kOff | kEnforce | kLast, kUmount, umount_moved, "move bpffs, then unmount it"},
    {"umount-propagated", kOff | kEnforce | kLast, kUmount, umount_propagated, "by propagation"},
    {"umount-ancestor-propagated", kOff | kEnforce | kLast, kUmount, umount_ancestor_propagated,
     "/sys by propagation"},
    // Before those that leave a second mount at the folder /sys of the root: it could not be renamed then.
    {"umount-renamed", kOff | kEnforce | kLast, kUmount, umount_renamed,
     "a mountpoint that is renamed elsewhere"},
    {"umount-rbind", kOff | kEnforce | kLast, kUmount, umount_rbind,
     "unmount a recursive bind mount of /sys"},
    {"umount-rbind-deep", kOff | kEnforce | kLast, kUmount, umount_rbind_deep,
     "the same of /, in another namespace"},
    {"umount-race", kOff | kEnforce | kLoss, nullptr, umount_race,
     "move the pins below what is being unmounted"},
    {"umount-lazy", kAll | kLast, kUmount, umount_lazy, "umount -l /sys/fs/bpf"},
};

}  // namespace

// The hook looks before the kernel locks the mounts: between the two the pins could be moved below what goes.
PinsRace race_for_pins(double seconds) {
  unshare_all();
  PinsRace race;
  const std::string at = scratch();
  const std::string inside = at + "/in";
  if (mount("tmpfs", at.c_str(), "tmpfs", 0, nullptr) != 0 || mkdir(inside.c_str(), 0755) != 0) return race;
  // What is moved is not the bpffs itself but a mount that carries it.
  const pid_t mover = fork();
  if (mover == 0) {
    for (;;) {
      (void)mount("/sys/fs/bpf", inside.c_str(), nullptr, MS_MOVE, nullptr);
      (void)mount(inside.c_str(), "/sys/fs/bpf", nullptr, MS_MOVE, nullptr);
    }
  }
  for (const double until = now() + seconds; now() < until && !race.won; ++race.tries) {
    (void)umount2(at.c_str(), MNT_DETACH);
    struct stat info = {};
    struct stat above = {};
    const bool mounted = stat(at.c_str(), &info) == 0 && stat((at + "/..").c_str(), &above) == 0 &&
                         info.st_dev != above.st_dev;
    if (mounted) continue;
    // It went; with the pins or without?
    race.won = true;
    for (int i = 0; i < 50 && race.won; ++i) {
      race.won = !exists(kKeys);
      (void)usleep(1000);
    }
    if (race.won) break;
    (void)mount("tmpfs", at.c_str(), "tmpfs", 0, nullptr);
    (void)mkdir(inside.c_str(), 0755);
  }
  (void)kill(mover, SIGKILL);
  (void)waitpid(mover, nullptr, 0);
  if (exists(inside + "/diglim/keys")) (void)mount(inside.c_str(), "/sys/fs/bpf", nullptr, MS_MOVE, nullptr);
  race.won = race.won && !exists(kKeys);
  if (race.won) {
    restore();
  } else {
    (void)umount2(at.c_str(), MNT_DETACH);
  }
  return race;
}

std::span<const Attack> mount_attacks() {
  return kAttacks;
}

}  // namespace attacks
