// SPDX-License-Identifier: Apache-2.0
#include "loader/kernel/runs.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include <algorithm>
#include <memory>

#include "bpf/abi.h"
#include "lib/base/file.h"
#include "lib/base/text.h"

namespace diglim {
namespace {

// The kernel cuts a program's own name after 15 letters; its BTF has all of it.
std::string whole_name(const Fd& program, const bpf_prog_info& info) {
  std::string name = info.name;
  bpf_func_info function = {};
  bpf_prog_info ask = {};
  ask.nr_func_info = 1;
  ask.func_info_rec_size = sizeof(function);
  ask.func_info = reinterpret_cast<uintptr_t>(&function);
  __u32 size = sizeof(ask);
  if (bpf_obj_get_info_by_fd(program.get(), &ask, &size) != 0 || ask.nr_func_info == 0) return name;
  const std::unique_ptr<btf, decltype(&btf__free)> types(btf__load_from_kernel_by_id(info.btf_id), btf__free);
  const btf_type* type = types ? btf__type_by_id(types.get(), function.type_id) : nullptr;
  const char* whole = type != nullptr ? btf__name_by_offset(types.get(), type->name_off) : nullptr;
  return whole != nullptr && std::string_view(whole).starts_with(name) ? whole : name;
}

}  // namespace

bool counts_runs() {
  const auto text = read_stream("/proc/sys/kernel/bpf_stats_enabled", 16);
  return text && trim(as_text(*text)) == "1";
}

std::vector<ProgramRuns> read_runs() {
  std::vector<ProgramRuns> all;
  for (__u32 id = 0; bpf_prog_get_next_id(id, &id) == 0;) {
    const Fd program(bpf_prog_get_fd_by_id(id));
    bpf_prog_info info = {};
    __u32 size = sizeof(info);
    if (!program || bpf_obj_get_info_by_fd(program.get(), &info, &size) != 0) continue;
    if (!std::string_view(info.name).starts_with(DIGLIM_NAME_PREFIX)) continue;
    std::string name = whole_name(program, info);
    if (std::ranges::any_of(all, [&](const ProgramRuns& one) { return one.name == name; })) continue;
    all.push_back({std::move(name), info.run_cnt, info.run_time_ns});
  }
  return all;
}

}  // namespace diglim
