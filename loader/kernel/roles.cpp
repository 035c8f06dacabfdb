// SPDX-License-Identifier: Apache-2.0
#include "loader/kernel/roles.h"

#include <bpf/bpf.h>

#include <cerrno>
#include <string>

#include "loader/kernel/maps.h"

namespace diglim {
Result<Fd> open_roles() {
  return find_map(kRolesMap);
}

Result<void> set_role(const Fd& roles, pid_t pid, diglim_role role) {
  const auto key = static_cast<uint32_t>(pid);
  diglim_task task = {};
  (void)bpf_map_lookup_elem(roles.get(), &key,
                            &task);  // keeps the start of a process that has a role already
  task.role = role;
  task.next_role = DIGLIM_ROLE_NONE;
  if (bpf_map_update_elem(roles.get(), &key, &task, BPF_ANY) != 0) {
    return from_errno("give process " + std::to_string(pid) + " its role", errno);
  }
  return {};
}

bool has_role(const Fd& roles, uint32_t pid, diglim_role role) {
  diglim_task task = {};
  return bpf_map_lookup_elem(roles.get(), &pid, &task) == 0 && task.role == static_cast<uint32_t>(role);
}

}  // namespace diglim
