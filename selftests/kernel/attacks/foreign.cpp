// SPDX-License-Identifier: Apache-2.0
// Others' BPF programs beside DIGLIM's: those that an admin or systemd brings, and those that would get in
// the way.
//
// Goal: a program of another that lets unlisted code run, keeps our bookkeeping from running, or makes us
// deny all. Expected: what can only add denials attaches and works; what could blind us is refused, with an
// event.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "selftests/kernel/attacks/attack.h"
#include "selftests/kernel/attacks/pins.h"

namespace attacks {
namespace {

constexpr char kLoad[] = "load a BPF program that can overrule the kernel";

int load(bpf_prog_type type, bpf_attach_type attach, const char* function, int answer) {
  const bpf_insn text[] = {
      {BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, answer},
      {BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
  };
  const int id = libbpf_find_vmlinux_btf_id(function, attach);
  if (id < 0) return errno = ENOENT, -1;
  LIBBPF_OPTS(bpf_prog_load_opts, options);
  options.expected_attach_type = attach;
  options.attach_btf_id = static_cast<__u32>(id);
  return bpf_prog_load(type, "foreign", "GPL", text, 2, &options);
}

// A program on `function`, attached as long as this lives.
struct Attached {
  Fd program;
  Fd link;
  int error = 0;
  Attached(bpf_prog_type type, bpf_attach_type attach, const char* function, int answer)
      : program(load(type, attach, function, answer)) {
    if (program) link = Fd(bpf_raw_tracepoint_open(nullptr, program.get()));
    if (!link) error = errno;
  }
};
Attached on_hook(const char* hook, int answer = 0) {
  return {BPF_PROG_TYPE_LSM, BPF_LSM_MAC, hook, answer};
}

bool known_runs() {
  return run({known_copy("elf", false)}) == kKnownCode &&
         map_and_call(known_copy("page", false)) == kKnownCode;
}

Report may_attach(const char* hook) {
  const Attached other = on_hook(hook);
  if (other.error != 0) return refused("load and attach", other.error, EPERM);
  if (diglim_is_there() && access("/vm/canary", F_OK) == 0 && !unknown_is_denied())
    return {Outcome::kOtherReason, "the unknown runs beside it"};
  return known_runs() ? allowed("it is attached, and what is known runs") : refused("exec", EPERM, 0);
}
Report attach_open() {
  return may_attach("file_open");
}
Report attach_userns() {
  return may_attach("userns_create");
}

// With a positive answer, which means yes to these hooks' callers.
Report may_not_attach(const char* hook) {
  const Attached other = on_hook(hook, 1);
  if (other.error == EINVAL || other.error == EACCES)
    return not_tried("the verifier takes no positive answer");
  return other.error == 0 ? allowed("attached") : refused("load and attach", other.error, EPERM);
}
Report attach_bpf() {
  return may_not_attach("bpf");
}
Report attach_map() {
  return may_not_attach("bpf_map");
}
Report attach_prog() {
  return may_not_attach("bpf_prog");
}
Report attach_load_data() {
  return may_not_attach("kernel_load_data");
}
Report attach_read_file() {
  return may_not_attach("kernel_read_file");
}
Report modify_return() {
  const Attached other(BPF_PROG_TYPE_TRACING, BPF_MODIFY_RETURN, "security_mmap_file", 0);
  return other.error == 0 ? allowed("attached") : refused("load and attach", other.error, EPERM);
}

// It denies what it is asked, for a while: nothing that was missed then may count afterwards.
Report denier(const char* hook) {
  const std::string unknown = scratch() + "/unknown";
  const std::string page = scratch() + "/page";
  (void)put(unknown, tiny_elf(kUnknownCode));
  (void)put(page, code_page(kUnknownCode));
  const std::string changed = known_copy("elf");
  const std::string changed_page = known_copy("page", false);
  (void)map_and_call(changed_page);
  {
    const Attached other = on_hook(hook, -EACCES);
    if (other.error != 0) return refused("load and attach", other.error, EPERM);
    (void)run({unknown});
    (void)map_and_call(page);
    (void)put(changed, tiny_elf(kUnknownCode));
    (void)put(changed_page, code_page(kUnknownCode));
    (void)!truncate(changed.c_str(), 4096);
  }
  (void)put(changed, tiny_elf(kUnknownCode));
  (void)put(changed_page, code_page(kUnknownCode));
  for (const std::string& path : {unknown, changed}) {
    if (const int result = run({path}); result != -EPERM) return judge_run(result, EPERM);
  }
  for (const std::string& path : {page, changed_page}) {
    if (const int result = map_and_call(path); result != -EPERM) return judge_map(result, EPERM);
  }
  return refused("exec and mmap of what changed", EPERM, EPERM);
}
Report deny_exec() {
  return denier("bprm_check_security");
}
Report deny_mmap() {
  return denier("mmap_file");
}
Report deny_open() {
  return denier("file_open");
}

// As many in front of ours as anybody likes: they see, and change nothing. What a kernel lacks is left out.
Report watch(bpf_attach_type attach) {
  std::vector<Attached> all;
  Report attached;
  for (const char* function :
       {"bpf_lsm_bprm_check_security", "bpf_lsm_bprm_committed_creds", "bpf_lsm_mmap_file",
        "bpf_lsm_file_mprotect", "bpf_lsm_file_open", "bpf_lsm_bpf", "security_bprm_check",
        "security_mmap_file", "vm_mmap_pgoff", "ima_calc_file_hash", "bpf_lsm_inode_setattr"}) {
    for (int i = 0; i < 8; ++i) {
      Attached one(BPF_PROG_TYPE_TRACING, attach, function, 0);
      if (one.error == ENOENT) break;
      if (one.error != 0 && attached.detail.empty())
        attached = refused("number " + std::to_string(i + 1) + " on " + function, one.error, EPERM);
      if (one.error == 0) all.push_back(std::move(one));
    }
  }
  const bool runs = known_runs();
  const bool denied = !diglim_is_there() || access("/vm/canary", F_OK) != 0 || run({"/vm/canary"}) == -EPERM;
  const std::string count = std::to_string(all.size()) + " programs";
  all.clear();
  if (!runs) return refused("exec and mmap of what is known, with " + count, EPERM, EPERM);
  if (!denied) return {Outcome::kOtherReason, "the unknown runs, with " + count};
  return attached.detail.empty() ? allowed("what is known runs, with " + count) : attached;
}
Report watchers() {
  return watch(BPF_TRACE_FENTRY);
}
Report watchers_after() {
  return watch(BPF_TRACE_FEXIT);
}

constexpr Attack kAttacks[] = {
    {"foreign-lsm-open", kAll | kHarmless, nullptr, attach_open, "an LSM program of another on file_open"},
    {"foreign-lsm-userns", kAll | kHarmless, nullptr, attach_userns, "the same on userns_create"},
    {"foreign-lsm-bpf", kAll, kLoad, attach_bpf, "an LSM program of another on bpf"},
    {"foreign-lsm-map", kAll, kLoad, attach_map, "the same on bpf_map"},
    {"foreign-lsm-prog", kAll, kLoad, attach_prog, "the same on bpf_prog"},
    {"foreign-lsm-load", kAll, kLoad, attach_load_data, "the same on kernel_load_data"},
    {"foreign-lsm-read", kAll, kLoad, attach_read_file, "the same on kernel_read_file"},
    {"foreign-fmod-ret", kAll, kLoad, modify_return,
     "a program that changes what security_mmap_file returns"},
    {"foreign-deny-exec", kOff | kEnforce, "", deny_exec, "what is unlisted, after another denied each exec"},
    {"foreign-deny-mmap", kOff | kEnforce, "", deny_mmap, "the same after another denied each mmap"},
    {"foreign-deny-open", kOff | kEnforce, "", deny_open, "the same after another denied each open"},
    {"foreign-watchers", kAll | kHarmless, nullptr, watchers, "eight fentry programs on each of our hooks"},
    {"foreign-watchers-exit", kAll | kHarmless, nullptr, watchers_after, "eight fexit programs on each"},
};

}  // namespace

std::span<const Attack> foreign_attacks() {
  return kAttacks;
}

}  // namespace attacks
