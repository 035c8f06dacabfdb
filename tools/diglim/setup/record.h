// SPDX-License-Identifier: Apache-2.0
// What setup changed, and what was there before: /var/lib/diglim/setup.json. It is written before each
// change, so that uninstall finds its way back from wherever an installation ended.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/base/bytes.h"

namespace diglim::setup {

struct RecordedFile {
  std::string path;                        // in the system, not below --root
  bool link = false;                       // a symbolic link; then `before` is its old target
  std::optional<Bytes> before;             // nothing: it was not there
  unsigned mode = 0644, uid = 0, gid = 0;  // as it was
  std::string after_sha256;  // of what setup wrote, hexadecimal; empty: another program wrote it
  std::string format;        // "bls", "plain", "grub": its command line can be put back in words; else empty
};

struct Record {
  std::vector<RecordedFile> files;        // in the order of the changes, each path once
  std::vector<std::string> folders;       // that setup made
  std::vector<std::string> words;         // on the kernel command line
  bool lists = false;                     // setup filled /etc/digest_lists
  std::vector<std::string> lists_before;  // names of the packages' lists that were there already
  bool initramfs = false;                 // it was, or was about to be, rebuilt
  std::vector<std::string> bootloader;    // the command that makes the boot loader's configuration, if any

  RecordedFile* find(const std::string& path);
};

// kCorrupt if the file is not such a record; nothing if there is none.
Result<std::optional<Record>> load_record(const std::string& path);
Result<void> save_record(const std::string& path, const Record& record);

}  // namespace diglim::setup
