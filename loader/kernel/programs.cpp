// SPDX-License-Identifier: Apache-2.0
#include "loader/kernel/programs.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <vector>

#include "diglim.skel.h"
#include "loader/kernel/libbpf_error.h"
#include "policy/lockdown.h"
#include "probe.skel.h"

namespace diglim {
namespace {

struct DestroyProbe {
  void operator()(probe_bpf* object) const { probe_bpf__destroy(object); }
};
struct DestroyDiglim {
  void operator()(diglim_bpf* object) const { diglim_bpf__destroy(object); }
};
struct DestroyLink {
  void operator()(bpf_link* link) const { (void)bpf_link__destroy(link); }  // closes our reference only
};
using LinkPtr = std::unique_ptr<bpf_link, DestroyLink>;

bool is_guard(const bpf_program* program) {
  // Programs that would refuse our own next steps come last.
  constexpr std::string_view kGuards[] = {"diglim_bpf_map", "diglim_bpf_prog", "diglim_bpf"};
  return std::find(std::begin(kGuards), std::end(kGuards), bpf_program__name(program)) != std::end(kGuards);
}

void leave_out_measurement(diglim_bpf& object) {
  // All fail only after load.
  for (bpf_program* program : {object.progs.diglim_rule_1, object.progs.diglim_rule_2,
                               object.progs.diglim_rule_3, object.progs.diglim_rule_4})
    (void)bpf_program__set_autoload(program, false);
  (void)bpf_map__set_max_entries(object.maps.diglim_steered, 1);
}

// Hooks where a positive answer is an error to the caller: systemd's RestrictFileSystems= and its restriction
// of user namespaces use these.
constexpr const char* kFreeHooks[] = {"file_open", "userns_create"};
static_assert(std::size(kFreeHooks) <= DIGLIM_FREE_HOOKS);

// Does the verifier take this program on file_open?
bool can_load(bpf_attach_type type, int hook, const std::vector<bpf_insn>& program) {
  bpf_prog_load_opts options = {};  // not LIBBPF_OPTS: that is GNU C
  options.sz = sizeof(options);
  options.expected_attach_type = type;
  options.attach_btf_id = static_cast<__u32>(hook);
  return static_cast<bool>(
      Fd(bpf_prog_load(BPF_PROG_TYPE_LSM, "diglim_try", "GPL", program.data(), program.size(), &options)));
}

// Which LSM programs could give a positive answer: DIGLIM_ANSWERS_*. By trying, since kernels have backports.
uint32_t find_positive_answers(int hook) {
  const bpf_insn answer_1 = {BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 1};
  const bpf_insn argument_1 = {BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_1, 0, 0, 1};
  const bpf_insn set_retval = {BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_set_retval};
  const bpf_insn exit = {BPF_JMP | BPF_EXIT, 0, 0, 0, 0};
  uint32_t answers = 0;
  if (can_load(BPF_LSM_MAC, hook, {answer_1, exit})) answers |= DIGLIM_ANSWERS_MAC;
  if (can_load(BPF_LSM_CGROUP, hook, {argument_1, set_retval, answer_1, exit}))
    answers |= DIGLIM_ANSWERS_CGROUP;
  return answers;
}

// What the running kernel's types say of its hooks.
Result<void> describe_hooks(diglim_bpf& object) {
  const std::unique_ptr<btf, decltype(&btf__free)> types(btf__load_vmlinux_btf(), btf__free);
  if (!types) return libbpf_error("read the kernel's BTF", errno);
  size_t used = 0;
  for (const char* hook : kFreeHooks) {
    const int id =
        btf__find_by_name_kind(types.get(), (std::string("bpf_lsm_") + hook).c_str(), BTF_KIND_FUNC);
    if (id > 0) object.rodata->diglim_free_hooks[used++] = static_cast<uint32_t>(id);
  }
  object.rodata->diglim_lsm_answers =
      find_positive_answers(btf__find_by_name_kind(types.get(), "bpf_lsm_file_open", BTF_KIND_FUNC));
  const bool asks_hook = btf__find_by_name_kind(types.get(), "bpf_lsm_mmap_backing_file", BTF_KIND_FUNC) > 0;
  const bool has_flag = btf__find_by_name_kind(types.get(), "backing_file", BTF_KIND_STRUCT) > 0;
  if (!asks_hook) object.rodata->diglim_below = has_flag ? DIGLIM_BELOW_BY_MODE : DIGLIM_BELOW_BY_PATH;
  (void)bpf_program__set_autoload(object.progs.diglim_mmap_below, asks_hook);
  const int setattr = btf__find_by_name_kind(types.get(), "bpf_lsm_inode_setattr", BTF_KIND_FUNC);
  if (setattr < 0) return unsupported("the kernel's BTF has no bpf_lsm_inode_setattr");
  const btf_type* function = btf__type_by_id(types.get(), static_cast<uint32_t>(setattr));
  const btf_type* prototype = btf__type_by_id(types.get(), function->type);
  const bool has_idmap = btf_vlen(prototype) == 3;
  (void)bpf_program__set_autoload(has_idmap ? object.progs.diglim_setattr_6_1 : object.progs.diglim_setattr,
                                  false);
  return {};
}

// What kept programs from being loaded: libbpf's words, and the cause where it is known.
Error load_error(std::string_view what, int error) {
  Error result = libbpf_error(what, error);
  if (kernel_lockdown() == Lockdown::kConfidentiality) {
    result.message =
        "lockdown=confidentiality keeps BPF programs from reading kernel memory, which DIGLIM's have to: "
        "boot with lockdown=integrity (" +
        result.message + ")";
  } else if (access("/sys/kernel/btf/vmlinux", R_OK) != 0) {
    result.message =
        "the kernel does not describe its types (BTF): a kernel with CONFIG_DEBUG_INFO_BTF=y is needed (" +
        result.message + ")";
  }
  return result;
}

// The first call of the family that walks from one mount namespace to the next; kernels that have it know it
// (include/uapi/linux/nsfs.h: NS_MNT_GET_INFO, 16 bytes at first).
bool gives_out_namespaces() {
  const auto own = open_file("/proc/self/ns/mnt", O_RDONLY);
  uint8_t info[16] = {};
  return !own || ioctl(own->get(), _IOR(0xb7, 10, uint8_t[sizeof(info)]), info) == 0 || errno != ENOTTY;
}

Result<void> map_own_file_executable() {
  TRY_ASSIGN(const Fd self, open_file("/proc/self/exe", O_RDONLY));
  void* at = mmap(nullptr, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, self.get(), 0);
  if (at == MAP_FAILED) return from_errno("map /proc/self/exe executable", errno);
  (void)munmap(at, 1);  // cannot fail for a range that mmap gave
  return {};
}

}  // namespace

Result<KernelFacts> probe_kernel(const std::function<Result<Fd>()>& open_folder) {
  catch_libbpf_warnings();
  const std::unique_ptr<probe_bpf, DestroyProbe> object(probe_bpf__open());
  if (!object) return libbpf_error("open the probe", errno);
  object->rodata->probe_pid = static_cast<uint32_t>(getpid());
  if (const int error = probe_bpf__load(object.get()))
    return load_error("load the probe into the kernel", error);
  if (const int error = probe_bpf__attach(object.get())) {
    return libbpf_error("attach to the BPF LSM (is \"bpf\" in lsm= on the kernel command line?)", error);
  }
  TRY(map_own_file_executable());
  TRY_ASSIGN(const Fd folder, open_folder());

  if (object->bss->probe_namespace == 0 || object->data->probe_algo == -1) {
    return unsupported(
        "the kernel does not call BPF LSM programs: add \"bpf\" to lsm= on the kernel command line");
  }
  if (object->data->probe_algo < 0) {
    return unsupported("the kernel cannot hash files for BPF programs (IMA is off): error " +
                       std::to_string(-object->data->probe_algo));
  }
  const auto algo = hash_from_kernel(static_cast<uint16_t>(object->data->probe_algo));
  if (!algo)
    return unsupported("the kernel's ima_hash= is an algorithm that no digest list has: boot without it");
  KernelFacts facts;
  facts.algo = *algo;
  const auto* digest = reinterpret_cast<const uint8_t*>(object->bss->probe_digest);
  facts.own_digest.assign(digest, digest + hash_size(*algo));
  facts.hidden_namespace = object->bss->probe_namespace;
  facts.nsfs_is_open = gives_out_namespaces();
  facts.module_signatures = kernel_enforces_module_signatures();
  return facts;
}

std::vector<std::pair<std::string, ByteView>> program_objects() {
  const auto view = [](const void* (*bytes)(size_t*)) {
    size_t size = 0;
    const auto* at = static_cast<const uint8_t*>(bytes(&size));
    return ByteView(at, size);
  };
  return {{"diglim.bpf.o", view(diglim_bpf__elf_bytes)}, {"probe.bpf.o", view(probe_bpf__elf_bytes)}};
}

struct Programs::State {
  std::unique_ptr<diglim_bpf, DestroyDiglim> object;
  std::vector<std::pair<std::string, LinkPtr>> links;  // by program name
};

Programs::Programs(std::unique_ptr<State> state) : state_(std::move(state)) {}
Programs::Programs(Programs&&) noexcept = default;
Programs::~Programs() = default;

Result<Programs> Programs::load(const Settings& settings, const KernelFacts& facts) {
  catch_libbpf_warnings();
  auto state = std::make_unique<State>();
  state->object.reset(diglim_bpf__open());
  if (!state->object) return libbpf_error("open the BPF programs", errno);
  state->object->rodata->diglim_mode = settings.mode;
  if (settings.ima_was_active) state->object->bss->diglim_writes |= DIGLIM_WRITES_COUNT_ALL;
  if (settings.measure) state->object->bss->diglim_writes |= DIGLIM_WRITES_MANIFEST;
  state->object->rodata->diglim_measure = settings.measure ? 1 : 0;
  state->object->rodata->diglim_labels = static_cast<uint32_t>(settings.labels);
  state->object->rodata->diglim_monitor = settings.monitor;
  (void)settings.boot_id.copy(state->object->rodata->diglim_boot_id, DIGLIM_BOOT_ID);
  if (!settings.measure) leave_out_measurement(*state->object);
  state->object->rodata->diglim_log_allowed = settings.log_allowed ? 1 : 0;
  if (!settings.log_allowed) (void)bpf_map__set_max_entries(state->object->maps.diglim_told, 1);
  state->object->rodata->diglim_hidden_ns = facts.hidden_namespace;
  (void)bpf_program__set_autoload(
      facts.nsfs_is_open ? state->object->progs.diglim_file_open : state->object->progs.diglim_file_open_nsfs,
      false);
  state->object->rodata->diglim_module_signatures = facts.module_signatures ? 1 : 0;
  TRY(describe_hooks(*state->object));
  // PID 1 has a role that no exec gave it, until it executes the real init.
  state->object->bss->diglim_may_have_role[getpid() % DIGLIM_ROLES] = 1;
  if (const int error = diglim_bpf__load(state->object.get())) {
    return load_error("load the BPF programs into the kernel", error);
  }
  return Programs(std::move(state));
}

int Programs::generations_fd() const {
  return bpf_map__fd(state_->object->maps.diglim_gens);
}

int Programs::role_fd() const {
  return bpf_program__fd(state_->object->progs.diglim_take_role);
}

int Programs::keep_fd() const {
  return bpf_program__fd(state_->object->progs.diglim_keep);
}

Result<void> Programs::set_flags(ByteView digest, uint32_t flags) {
  diglim_digest_key key = {};
  std::memcpy(&key, digest.data(), std::min(digest.size(), sizeof(key)));
  if (bpf_map_update_elem(bpf_map__fd(state_->object->maps.diglim_flags), &key, &flags, BPF_ANY) != 0) {
    return from_errno("set the flags of a digest", errno);
  }
  return {};
}

void Programs::set_measuring() {
  state_->object->bss->diglim_measuring = 1;
}

Result<void> Programs::attach() {
  for (const bool guards : {false, true}) {
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, state_->object->obj) {
      if (is_guard(program) != guards || !bpf_program__autoload(program) ||
          bpf_program__type(program) == BPF_PROG_TYPE_SYSCALL) {
        continue;  // the last kind hangs on nothing: it is run
      }
      LinkPtr link(bpf_program__attach(program));
      if (!link) {
        Error error = libbpf_error(std::string("attach ") + bpf_program__name(program), errno);
        state_->links.clear();
        return error;
      }
      state_->links.emplace_back(bpf_program__name(program), std::move(link));
    }
  }
  return {};
}

Result<void> Programs::pin(const HiddenFolder& hidden, const Fd& keys) {
  for (const auto& [name, link] : state_->links) TRY(hidden.pin(bpf_link__fd(link.get()), name));
  // No attached program uses these, so nothing else holds them.
  TRY(hidden.pin(keep_fd(), "keep"));
  TRY(hidden.pin(keys.get(), "keys"));
  TRY(hidden.pin(bpf_map__fd(state_->object->maps.diglim_log), "log"));
  return hidden.pin(bpf_map__fd(state_->object->maps.diglim_claims), "claims");
}

}  // namespace diglim
