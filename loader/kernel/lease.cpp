// SPDX-License-Identifier: Apache-2.0
#include "loader/kernel/lease.h"

#include <bpf/bpf.h>

#include <cerrno>

#include "bpf/abi.h"
#include "loader/kernel/maps.h"

namespace diglim {
namespace {

// Fills the request with the answer; returns the program's own status.
Result<int> run(const Fd& program, diglim_keep_request& request) {
  bpf_test_run_opts options = {};  // not LIBBPF_OPTS: that is GNU C
  options.sz = sizeof(options);
  options.ctx_in = &request;
  options.ctx_size_in = sizeof(request);
  if (bpf_prog_test_run_opts(program.get(), &options) != 0) return from_errno("ask for the keeper", errno);
  return static_cast<int>(options.retval);
}

}  // namespace

Result<Lease> Lease::open() {
  TRY_ASSIGN(Fd program, find_program("diglim_keep"));
  return Lease(std::move(program));
}

bool Lease::Holder::has_run_out() const {
  return age_ns >= DIGLIM_LEASE_NS;
}

Result<Lease::Holder> Lease::ask() const {
  diglim_keep_request request = {};
  TRY(run(program_, request));
  return Holder{static_cast<pid_t>(request.pid), request.age_ns, request.boot_ns, request.monitor_until,
                request.is_inner != 0};
}

Result<bool> Lease::claim() const {
  diglim_keep_request request = {};
  request.claim = 1;
  TRY_ASSIGN(const int status, run(program_, request));
  if (status == 0) return true;
  if (status == -EBUSY) return false;
  return Error{ErrorCode::kIo, -status, "a process in a pid namespace cannot be the keeper"};
}

}  // namespace diglim
