// SPDX-License-Identifier: Apache-2.0
// The challenges that were answered, in a file: hexadecimal, one a line. Several verifiers may share it.
// Where another file takes its place, that one counts from then on, beside what this object saw before.
#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "lib/base/file.h"

namespace diglim {

constexpr size_t kMaxUsedNoncesBytes = 64u << 20;  // about a million of 32 bytes

class UsedNonces {
 public:
  // Makes the file if there is none. kNotFound (no such folder), kIo.
  static Result<UsedNonces> open(const std::string& path);

  struct Use {
    ByteView nonce;
    bool remember = true;  // false: only ask
  };
  // For each, in order: was it new? Those that were and are to be remembered are on the disk when this
  // returns. kIo; kUnsupported: the file would be larger than kMaxUsedNoncesBytes, and is as it was. Not
  // thread-safe.
  Result<std::vector<bool>> use(const std::vector<Use>& uses);

 private:
  UsedNonces(std::string path, Fd file) : path_(std::move(path)), file_(std::move(file)) {}
  Result<void> lock();
  Result<void> read_new();
  void take(std::string_view line);

  std::string path_;
  Fd file_;
  size_t read_bytes_ = 0;
  std::string last_line_;                 // what follows the last line feed
  std::unordered_set<std::string> used_;  // as bytes
};

}  // namespace diglim
