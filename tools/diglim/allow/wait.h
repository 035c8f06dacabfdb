// SPDX-License-Identifier: Apache-2.0
// Waits for the end of exceptions. Nothing is looked at in between.
#pragma once

#include <csignal>
#include <vector>

#include "lib/base/file.h"
#include "tools/diglim/allow/when.h"

namespace diglim::allow {

// What comes first by each clock. Pure.
struct Deadline {
  uint64_t until = 0;       // seconds since 1970
  uint64_t since_boot = 0;  // 0: none of this boot counts by it
};
Deadline first_of(const std::vector<End>& ends, const Clock& clock);

class Waiter {
 public:
  // From now on SIGTERM and SIGINT end this process only while it waits: what it is about to withdraw, it
  // withdraws. kIo.
  static Result<Waiter> make();

  // Returns at the first end, also one that is over already, and as soon as somebody sets the clock. `ends`
  // is not empty. kIo.
  Result<void> wait(const std::vector<End>& ends) const;

 private:
  Waiter(Fd real, Fd boot, sigset_t waiting)
      : real_(std::move(real)), boot_(std::move(boot)), waiting_(waiting) {}

  Fd real_, boot_;
  sigset_t waiting_;  // what is blocked meanwhile
};

}  // namespace diglim::allow
