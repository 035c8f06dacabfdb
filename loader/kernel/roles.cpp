// SPDX-License-Identifier: Apache-2.0
#include "loader/kernel/roles.h"

#include <bpf/bpf.h>

#include <cerrno>

namespace diglim {

Result<void> take_role(const Fd& program) {
  bpf_test_run_opts options = {};  // not LIBBPF_OPTS: that is GNU C
  options.sz = sizeof(options);
  if (bpf_prog_test_run_opts(program.get(), &options) != 0)
    return from_errno("take the loader's role", errno);
  if (options.retval != 0) return from_errno("take the loader's role", -static_cast<int>(options.retval));
  return {};
}

}  // namespace diglim
