// SPDX-License-Identifier: Apache-2.0
// The place where the kernel holds DIGLIM's links, out of everybody's reach. bpf/hold.bpf.h says why (D19).
#pragma once

#include <sys/types.h>

#include <string>

#include "lib/base/file.h"

namespace diglim {

// A bpffs in the mount namespace of the kernel thread kdevtmpfs, over its root and below an empty read-only
// tmpfs. It stays for as long as the kernel runs. This object is the last way to it, so every process that
// has one destroys it after the last pin.
class HiddenFolder {
 public:
  // REQUIRES: /proc is mounted; root; no guard is attached yet, since the guards refuse exactly this.
  // kUnsupported: the kernel has no such thread (CONFIG_DEVTMPFS), or one that shares our mounts.
  static Result<HiddenFolder> create();

  // What create() needs from the kernel, without a trace. The same errors.
  static Result<void> is_possible();

  // Pins a link, map or program.
  Result<void> pin(int fd, const std::string& name) const;

  // A descriptor of the directory, opened now, so that the probe sees it.
  Result<Fd> open() const;

 private:
  explicit HiddenFolder(Fd mount) : mount_(std::move(mount)) {}
  std::string path() const;
  Fd mount_;
};

}  // namespace diglim
