// SPDX-License-Identifier: Apache-2.0
#include "loader/kernel/hold.h"

#include <bpf/bpf.h>

#include <cerrno>
#include <string_view>

#include "loader/kernel/maps.h"

namespace diglim {
namespace {

constexpr char kRoleTaker[] = "diglim_take_role";

bool is_ours(uint32_t program_id) {
  const Fd program(bpf_prog_get_fd_by_id(program_id));
  if (!program) return false;  // freed meanwhile
  bpf_prog_info info = {};
  __u32 size = sizeof(info);
  return bpf_obj_get_info_by_fd(program.get(), &info, &size) == 0 &&
         std::string_view(info.name).starts_with(DIGLIM_NAME_PREFIX);
}

}  // namespace

Result<Fd> open_roles() {
  return find_map(kRolesMap);
}

Result<Fd> open_role_taker() {
  __u32 id = 0;
  while (bpf_prog_get_next_id(id, &id) == 0) {
    Fd program(bpf_prog_get_fd_by_id(id));
    bpf_prog_info info = {};
    __u32 size = sizeof(info);
    if (program && bpf_obj_get_info_by_fd(program.get(), &info, &size) == 0 &&
        std::string_view(info.name) == std::string_view(kRoleTaker).substr(0, sizeof(info.name) - 1)) {
      return program;
    }
  }
  return not_found(std::string("no BPF program ") + kRoleTaker);
}

Result<void> take_role(const Fd& taker, diglim_role role) {
  diglim_role_request request = {role};
  bpf_test_run_opts options = {};  // not LIBBPF_OPTS: that is GNU C
  options.sz = sizeof(options);
  options.ctx_in = &request;
  options.ctx_size_in = sizeof(request);
  if (bpf_prog_test_run_opts(taker.get(), &options) != 0) return from_errno("take a role", errno);
  if (options.retval != 0) return from_errno("take a role", -static_cast<int>(options.retval));
  return {};
}

bool has_role(const Fd& roles, uint32_t pid, diglim_role role) {
  diglim_task task = {};
  return bpf_map_lookup_elem(roles.get(), &pid, &task) == 0 && task.role == static_cast<uint32_t>(role);
}

bool has_keeper(const Fd& roles) {
  uint32_t pid = 0;
  for (void* from = nullptr; bpf_map_get_next_key(roles.get(), from, &pid) == 0; from = &pid) {
    if (has_role(roles, pid, DIGLIM_ROLE_KEEPER)) return true;
  }
  return false;
}

Result<std::vector<Fd>> open_links() {
  std::vector<Fd> links;
  __u32 id = 0;
  while (bpf_link_get_next_id(id, &id) == 0) {
    Fd link(bpf_link_get_fd_by_id(id));
    bpf_link_info info = {};
    __u32 size = sizeof(info);
    if (!link || bpf_obj_get_info_by_fd(link.get(), &info, &size) != 0) {
      if (!link && errno == ENOENT) continue;  // freed meanwhile
      return from_errno("open a BPF link", errno);
    }
    if (is_ours(info.prog_id)) links.push_back(std::move(link));
  }
  if (errno != ENOENT) return from_errno("walk the BPF links", errno);
  return links;
}

}  // namespace diglim
