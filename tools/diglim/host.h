// SPDX-License-Identifier: Apache-2.0
// A machine, seen from its root folder, so that a test or an offline tree can stand for it. Nothing is
// changed through it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace diglim {

struct Mount {
  std::string point;
  std::string type;    // "ext4"
  std::string source;  // "/dev/sda1"
};

class Host {
 public:
  // `root` is "/" for the running machine. Nothing outside of it is read, except through links in it.
  explicit Host(std::string root);

  bool is_live() const { return root_.empty(); }
  std::string path(std::string_view absolute) const { return root_ + std::string(absolute); }

  bool exists(std::string_view absolute) const;
  // The text of a small file without white space at its ends; nothing if it cannot be read, is larger, or is
  // no regular file: one in an image may be anything.
  std::optional<std::string> text(std::string_view absolute, size_t max_bytes = 1u << 20) const;
  // Names in a directory, sorted; none if it cannot be read.
  std::vector<std::string> names(std::string_view absolute) const;

  // Of /proc/self/mountinfo, in its order: of two on one point the later is on top.
  std::vector<Mount> mounts() const;
  // The mount that holds the path, by the longest matching point.
  std::optional<Mount> mount_of(std::string_view absolute) const;

  std::string command_line() const;  // /proc/cmdline; empty if it cannot be read
  // The value of a setting on it (KernelLine::value(), policy/command_line.h).
  std::optional<std::string> parameter(std::string_view name) const;
  // The value of an option in the running kernel's /boot/config-RELEASE ("y"); "" if it is not set; nothing
  // if there is no such file.
  std::optional<std::string> kernel_config(std::string_view option) const;
  std::string release() const;  // "6.1.0-32-amd64"; empty if unknown

 private:
  std::string root_;  // without a slash at the end; empty: the running machine
};

}  // namespace diglim
