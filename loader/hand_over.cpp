// SPDX-License-Identifier: Apache-2.0
#include "loader/hand_over.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "lib/base/text.h"
#include "loader/keeper.h"
#include "loader/kernel/maps.h"

namespace diglim {
namespace {

constexpr char kSelf[] = "/proc/self/exe";
constexpr size_t kMaxLoader = 64u << 20;
// If it is set, this process was handed the work already, so there is no loop, whatever lies in /run. Forging
// it only costs the forger's own command.
constexpr char kMark[] = "DIGLIM_HANDED_OVER";

Result<struct stat> check_file(const std::string& path) {
  struct stat info = {};
  if (stat(path.c_str(), &info) != 0) return from_errno("stat", errno);
  if (!S_ISREG(info.st_mode)) return unsupported("not a regular file");
  if (info.st_uid != 0 || (info.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return untrusted("others than root can write it");
  return info;
}

// By the file, not its content: to execute a copy of oneself is cheaper than to compare.
bool is_this_program(const struct stat& info) {
  struct stat self = {};
  return stat(kSelf, &self) == 0 && self.st_dev == info.st_dev && self.st_ino == info.st_ino;
}

// Returns only if nothing was executed: because `path` is this very program, or with the reason.
Result<void> execute(const std::string& path, char** argv) {
  const auto info = check_file(path);
  if (!info) return with_context(path, info.error());
  if (is_this_program(*info)) return {};
  if (setenv(kMark, "1", 1) != 0) return from_errno("set the environment", errno);
  (void)execv(path.c_str(), argv);
  const int error = errno;
  (void)unsetenv(kMark);
  return from_errno("execute " + path, error);
}

// Does the kernel refuse its maps to this process, though it is root's?
bool is_refused() {
  const auto map = find_map(kGenerationsMap);
  return !map && map.error().sys_errno == EPERM && geteuid() == 0;
}

}  // namespace

Result<void> keep_boot_loader() {
  if (mkdir(kRunFolder, 0755) != 0 && errno != EEXIST)
    return from_errno(std::string("create ") + kRunFolder, errno);
  TRY_ASSIGN(const Bytes content, read_file(kSelf, kMaxLoader));
  return write_file_atomically(kBootLoader, content, 0755);
}

void hand_over(char** argv) {
  if (getenv(kMark) != nullptr) {
    (void)unsetenv(kMark);
    return;
  }
  const auto first = execute(kBootLoader, argv);
  if (first || !is_refused()) return;
  std::string reason = first.error().message;
  if (const auto keeper = find_keeper()) {
    const auto second = execute("/proc/" + std::to_string(*keeper) + "/exe", argv);
    if (second) return;
    reason += "; " + second.error().message;
  } else {
    reason += "; the keeper is gone";
  }
  (void)fprintf(stderr, "diglim-loader: cannot hand over to the loader of this boot: %s\n", reason.c_str());
}

}  // namespace diglim
