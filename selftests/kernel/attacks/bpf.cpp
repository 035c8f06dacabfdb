// SPDX-License-Identifier: Apache-2.0
// Attacks by bpf(2): reach DIGLIM's maps and programs, or bring programs that answer in its place.
//
// Goal: a descriptor of an object of DIGLIM, an object with its name, a program that can overrule the kernel.
// Expected: EPERM and an event.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "selftests/kernel/attacks/attack.h"
#include "selftests/kernel/attacks/pins.h"

namespace attacks {
namespace {

constexpr char kMap[] = "open a BPF map of DIGLIM";
constexpr char kLoad[] = "load a BPF program that can overrule the kernel";

int create_map(const char* name) {
  return bpf_map_create(BPF_MAP_TYPE_ARRAY, name, 4, 8, 1, nullptr);
}

constexpr bpf_insn kReturnZero[] = {
    {BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0},
    {BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
};

int load_program(bpf_prog_type type, bpf_attach_type attach, const char* name, const char* function) {
  LIBBPF_OPTS(bpf_prog_load_opts, options);
  options.expected_attach_type = attach;
  if (function != nullptr) {
    const int id = libbpf_find_vmlinux_btf_id(function, attach);
    if (id < 0) return errno = ENOENT, -1;
    options.attach_btf_id = static_cast<__u32>(id);
  }
  return bpf_prog_load(type, name, "GPL", kReturnZero, 2, &options);
}

Report map_create() {
  const Fd map(create_map("diglim_gens"));
  return map ? allowed("a map with our name") : refused("BPF_MAP_CREATE", errno, EPERM);
}

bool is_ours(const char* name) {
  return std::string_view(name).substr(0, 6) == "diglim";
}

// Is the object there still? Ours seem to be gone to who asks for them by number.
bool is_listed(__u32 id, int (*next_id)(__u32, __u32*)) {
  __u32 again = id - 1;
  return next_id(again, &again) == 0 && again == id;
}

// Walks all maps of the kernel. One of DIGLIM's is the prize; with DIGLIM off our own stands in for it.
Report map_by_id() {
  const Fd own(diglim_is_there() ? -1 : create_map("diglim_x"));
  bool refused_one = false;
  for (__u32 id = 0; bpf_map_get_next_id(id, &id) == 0;) {
    const Fd map(bpf_map_get_fd_by_id(id));
    if (!map) {
      if (errno != ENOENT) return allowed("a tool that lists maps stops here");
      refused_one = refused_one || is_listed(id, bpf_map_get_next_id);
      continue;
    }
    bpf_map_info info = {};
    __u32 size = sizeof(info);
    if (bpf_obj_get_info_by_fd(map.get(), &info, &size) == 0 && is_ours(info.name)) {
      return allowed(std::string("opened map ") + info.name);
    }
  }
  return refused_one ? refused("BPF_MAP_GET_FD_BY_ID", ENOENT, ENOENT) : not_tried("no such map");
}

Report prog_by_id() {
  const Fd own(diglim_is_there()
                   ? -1
                   : load_program(BPF_PROG_TYPE_SOCKET_FILTER, BPF_CGROUP_INET_INGRESS, "diglim_x", nullptr));
  bool refused_one = false;
  for (__u32 id = 0; bpf_prog_get_next_id(id, &id) == 0;) {
    const Fd program(bpf_prog_get_fd_by_id(id));
    if (!program) {
      if (errno != ENOENT) return allowed("a tool that lists programs stops here");
      refused_one = refused_one || is_listed(id, bpf_prog_get_next_id);
      continue;
    }
    bpf_prog_info info = {};
    __u32 size = sizeof(info);
    if (bpf_obj_get_info_by_fd(program.get(), &info, &size) == 0 && is_ours(info.name)) {
      return allowed(std::string("opened program ") + info.name);
    }
  }
  return refused_one ? refused("BPF_PROG_GET_FD_BY_ID", ENOENT, ENOENT) : not_tried("no such program");
}

// Link descriptors are to be had; LSM links can neither be detached nor given another program.
Report link_detach() {
  int links = 0;
  for (__u32 id = 0; bpf_link_get_next_id(id, &id) == 0;) {
    const Fd link(bpf_link_get_fd_by_id(id));
    if (!link) continue;
    ++links;
    if (bpf_link_detach(link.get()) == 0) return allowed("a link was detached");
    const Fd program(load_program(BPF_PROG_TYPE_SOCKET_FILTER, BPF_CGROUP_INET_INGRESS, "other", nullptr));
    if (bpf_link_update(link.get(), program.get(), nullptr) == 0) return allowed("a link was updated");
  }
  if (links == 0) return not_tried("no links");
  return unknown_is_denied() ? harmless(std::to_string(links) + " links stay")
                             : allowed("no longer enforced");
}

Report judge_load(int fd) {
  const Fd program(fd);
  return program ? allowed("loaded") : refused("BPF_PROG_LOAD", errno, EPERM);
}

Report load_lsm() {
  return judge_load(load_program(BPF_PROG_TYPE_LSM, BPF_LSM_MAC, "allow_all", "file_open"));
}
Report load_fmod_ret() {
  return judge_load(
      load_program(BPF_PROG_TYPE_TRACING, BPF_MODIFY_RETURN, "allow_all", "security_bprm_check"));
}
// Without a target it cannot be loaded even with DIGLIM off, but then it is the verifier that says so.
Report load_freplace() {
  const Fd program(load_program(BPF_PROG_TYPE_EXT, BPF_CGROUP_INET_INGRESS, "replace", nullptr));
  if (program || errno == EINVAL) return allowed("it reached the verifier");
  return refused("BPF_PROG_LOAD", errno, EPERM);
}

// A program on a kprobe that says what the probed function returns.
Report load_override() {
  constexpr bpf_insn text[] = {
      {BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_2, 0, 0, -EPERM},
      {BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_override_return},
      {BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0},
      {BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
  };
  const Fd program(bpf_prog_load(BPF_PROG_TYPE_KPROBE, "override", "GPL", text, 4, nullptr));
  if (!program && errno == EINVAL) return not_tried("this kernel has no bpf_override_return()");
  return program ? allowed("loaded") : refused("BPF_PROG_LOAD", errno, EPERM);
}

constexpr Attack kAttacks[] = {
    {"bpf-map-create", kAll, kMap, map_create, "a map with the name of one of DIGLIM's"},
    {"bpf-map-by-id", kAll, nullptr, map_by_id, "open DIGLIM's maps by id"},
    {"bpf-prog-by-id", kAll, nullptr, prog_by_id, "open DIGLIM's programs by id"},
    {"bpf-link-detach", kEnforce, nullptr, link_detach, "detach or update DIGLIM's links"},
    {"bpf-load-lsm", kAll | kHarmless, nullptr, load_lsm, "load an LSM program, which can only refuse"},
    {"bpf-load-fmod-ret", kAll, kLoad, load_fmod_ret, "load a program that changes a return value"},
    {"bpf-load-override", kAll, kLoad, load_override, "load a program that overrides a function"},
    {"bpf-load-freplace", kAll | kHarmless, nullptr, load_freplace,
     "load a program that replaces one of its owner's"},
};

}  // namespace

std::span<const Attack> bpf_attacks() {
  return kAttacks;
}

bool diglim_is_there() {
  return access("/usr/sbin/diglim-loader", F_OK) == 0;
}

}  // namespace attacks
