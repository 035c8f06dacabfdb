// SPDX-License-Identifier: Apache-2.0
// Runs diglim-loader, which alone may change what the kernel has. A process that rpm (or dnf, with its
// threads and signal handlers) can carry: it never waits longer than its budget, and leaves nothing behind.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "lib/base/file.h"

namespace diglim {

// What became of one run of the loader.
struct LoaderResult {
  enum class Kind {
    kOk,
    kRejected,  // it did what it could; `lines` says which lists it left out
    kFailed,    // nothing changed; `lines` says why
    kTimeout,   // it did not end within the budget, and goes on
  };
  Kind kind = Kind::kFailed;
  std::vector<std::string> lines;  // of its standard error, escaped
};

class Publisher {
 public:
  // `loader` empty: the copy that booted the machine, else the installed one. Remembers the root folder of
  // this moment, from which the loader is started later, whatever chroot this process is in then. All runs
  // together wait at most `budget_ms`.
  Publisher(const std::string& loader, int budget_ms);
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  // Is DIGLIM in force here? Cheap where it booted the machine or is not installed; else asks the loader
  // once.
  bool is_active();

  // Has the kernel follow `folder`, the descriptor of a directory of lists; kKeep: and lose none.
  // `identity`: root_identity() in lib/base.
  enum class Gone { kKeep, kWithdraw };
  LoaderResult sync(int folder, const std::string& identity, Gone gone);

  int budget_ms() const { return budget_ms_; }

 private:
  LoaderResult run(const std::vector<std::string>& arguments, int folder);
  void reap();

  std::string loader_;  // empty: there is none
  Fd root_;
  int budget_ms_;
  int left_ms_;
  int active_ = -1;             // -1: not asked yet
  std::vector<pid_t> running_;  // given up, not reaped yet
};

}  // namespace diglim
