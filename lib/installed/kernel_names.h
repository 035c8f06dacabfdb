// SPDX-License-Identifier: Apache-2.0
// Under which names the kernel has the lists of a root, and from which folder the loader reads them.
#pragma once

#include <string>
#include <vector>

#include "lib/base/folder.h"

namespace diglim {

// The kernel knows a list by its file name. For "/" that is the name on the disk. The lists of another root
// (of an image, a container, of the chroot that this process is in) get the root's own mark, so that they
// never take the place of this system's lists and go without taking those along.
class KernelNames {
 public:
  // Of `root`; "/", and anything that is the same folder, is this system, unless PID 1 has another one.
  static Result<KernelNames> create(const std::string& root);
  KernelNames(KernelNames&& other) noexcept = default;
  KernelNames& operator=(KernelNames&&) = delete;
  ~KernelNames();

  bool is_host() const { return identity_.empty(); }
  Result<std::vector<std::string>> of(const std::vector<std::string>& names) const;

  // Makes the lists `names` of `lists` readable under their kernel names; returns the descriptor of the
  // folder, which lives as long as this object. For another root that is a folder of links below /run/diglim.
  Result<int> expose(const Folder& lists, const std::vector<std::string>& names);

 private:
  KernelNames(std::string identity, std::string path)
      : identity_(std::move(identity)), path_(std::move(path)) {}

  std::string identity_;  // empty: this system
  std::string path_;      // canonical, as this process and the loader see it; empty: "/"
  std::string links_path_;
  Fd links_;
};

}  // namespace diglim
