// SPDX-License-Identifier: Apache-2.0
// Who is the keeper, as the kernel knows it (bpf/keeper.bpf.h).
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "lib/base/file.h"

namespace diglim {

class Lease {
 public:
  explicit Lease(Fd program) : program_(std::move(program)) {}
  // REQUIRES: the loader's rights, which nothing that follows needs any more.
  static Result<Lease> open();

  struct Holder {
    pid_t pid = 0;               // in the first pid namespace; 0: there never was one
    uint64_t age_ns = 0;         // since it renewed
    uint64_t boot_ns = 0;        // CLOCK_BOOTTIME of the kernel itself, whatever time namespace this is
    uint64_t monitor_until = 0;  // by that clock (struct diglim_generation)
    bool is_inner = false;       // this process is in a pid namespace: getpid() means nothing outside
    bool has_run_out() const;    // gone, or it does not read
  };
  Result<Holder> ask() const;

  // Makes this process the keeper, or renews. False: another one is, whose lease has not run out.
  Result<bool> claim() const;

 private:
  Fd program_;
};

}  // namespace diglim
