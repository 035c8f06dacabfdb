// SPDX-License-Identifier: Apache-2.0
// Under which names the kernel has the lists of a root, and from which folder the loader reads them.
#pragma once

#include <string>
#include <vector>

#include "rpm-plugin/folder.h"

namespace diglim {

// The kernel knows a list by its file name. For "/" that is the name on the disk. The lists of another root
// (of an image, a container) get the root's own mark, so that they never take the place of this system's
// lists and go without taking those along.
class KernelNames {
 public:
  // Of `root`; "/", and anything that is the same folder, is this system.
  static Result<KernelNames> create(const std::string& root);
  KernelNames(KernelNames&& other) noexcept = default;
  KernelNames& operator=(KernelNames&&) = delete;
  ~KernelNames();

  bool is_host() const { return root_.empty(); }
  Result<std::vector<std::string>> of(const std::vector<std::string>& names) const;

  // Makes the lists `names` of `lists` readable under their kernel names; returns the descriptor of the
  // folder, which lives as long as this object. For another root that is a folder of links below /run/diglim.
  Result<int> expose(const Folder& lists, const std::vector<std::string>& names);

 private:
  explicit KernelNames(std::string root) : root_(std::move(root)) {}

  std::string root_;  // canonical; empty: this system
  std::string links_path_;
  Fd links_;
};

}  // namespace diglim
