// SPDX-License-Identifier: Apache-2.0
#include "loader/kernel/roles.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "lib/base/text.h"
#include "loader/kernel/maps.h"

namespace diglim {
namespace {

// When a process started, in ticks of the clock since the boot, as /proc/PID/stat has it. The name before may
// contain anything, also ")".
Result<uint64_t> start_in_ticks(uint32_t pid) {
  constexpr int kStart = 22;  // proc(5)
  TRY_ASSIGN(const Bytes content, read_stream("/proc/" + std::to_string(pid) + "/stat", 4096));
  const std::string text(as_text(content));
  size_t at = text.rfind(')');
  for (int field = 2; field < kStart && at != std::string::npos; ++field) at = text.find(' ', at + 1);
  if (at == std::string::npos) return corrupt(0, "/proc/PID/stat");
  return std::strtoull(text.c_str() + at, nullptr, 10);
}

}  // namespace

Result<Fd> open_roles() {
  return find_map(kRolesMap);
}

Result<void> take_role(const Fd& program) {
  bpf_test_run_opts options = {};  // not LIBBPF_OPTS: that is GNU C
  options.sz = sizeof(options);
  if (bpf_prog_test_run_opts(program.get(), &options) != 0)
    return from_errno("take the loader's role", errno);
  if (options.retval != 0) return from_errno("take the loader's role", -static_cast<int>(options.retval));
  return {};
}

bool has_role(const Fd& roles, uint32_t pid) {
  diglim_task task = {};
  if (bpf_map_lookup_elem(roles.get(), &pid, &task) != 0) return false;
  const auto start = start_in_ticks(pid);
  if (!start) return start.error().code != ErrorCode::kNotFound;
  constexpr uint64_t kSecond_ns = 1'000'000'000;
  return *start == task.start_time / (kSecond_ns / static_cast<uint64_t>(sysconf(_SC_CLK_TCK)));
}

}  // namespace diglim
