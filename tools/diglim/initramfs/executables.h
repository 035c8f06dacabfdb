// SPDX-License-Identifier: Apache-2.0
// Which files of an unpacked initramfs DIGLIM will be asked about, and which digest lists cover them.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/crypto/hash.h"

namespace diglim::initramfs {

struct Executable {
  std::string path;  // from the root on, with a leading slash, unescaped
  Bytes digest;
};

// The regular files below `root` that can be executed, mapped executable or read as code by the kernel:
// anything with an x bit, ELF files, kernel modules (also compressed), firmware. Not: empty files, and
// dracut's hooks, which its scripts source. Links are not followed. Sorted by path. Errors: kNotFound, kIo,
// with the path; all or nothing.
Result<std::vector<Executable>> find_executables(const std::string& root, HashAlgo algo);

struct Choice {
  std::vector<size_t> lists;      // indices of the lists to take, ascending
  std::vector<size_t> uncovered;  // indices of the files that no list covers, ascending
};

// Few lists that cover all files that can be covered: those that alone have a digest, then, for what is still
// missing, the first one that has it. Depends on nothing but its input, so that every run chooses the same.
Choice choose_lists(const std::vector<Executable>& files, const std::vector<std::set<Bytes>>& lists);

}  // namespace diglim::initramfs
