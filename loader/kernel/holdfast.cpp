// SPDX-License-Identifier: Apache-2.0
#include "loader/kernel/holdfast.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "holdfast.skel.h"
#include "loader/kernel/libbpf_error.h"

namespace diglim {
namespace {

// By enum diglim_held_place.
constexpr std::string_view kPlaces[DIGLIM_HELD_OTHERS] = {
    "diglim_file_open",   "diglim_exec",       "diglim_mmap_file", "diglim_mmap_begin",
    "diglim_mmap_end",    "diglim_mprotect",   "diglim_truncate",  "diglim_file_truncate",
    "diglim_kernel_read", "diglim_kernel_load"};
constexpr size_t kOptional = DIGLIM_HELD_FILE_TRUNCATE;  // a hook that 6.1 lacks

// The root cgroup, by a mount of its own that nobody else sees and that goes with the descriptor.
Result<Fd> open_root_cgroup() {
  const Fd context(fsopen("cgroup2", FSOPEN_CLOEXEC));
  if (!context) return from_errno("open cgroup2", errno);
  if (fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0)
    return from_errno("create cgroup2", errno);
  Fd root(fsmount(context.get(), FSMOUNT_CLOEXEC, 0));
  if (!root) return from_errno("mount cgroup2", errno);
  return root;
}

Result<void> run_iterator(bpf_program* program) {
  const std::unique_ptr<bpf_link, int (*)(bpf_link*)> link(bpf_program__attach_iter(program, nullptr),
                                                           bpf_link__destroy);
  if (!link) return libbpf_error("attach the link iterator", errno);
  const Fd iterator(bpf_iter_create(bpf_link__fd(link.get())));
  if (!iterator) return from_errno("create the link iterator", errno);
  char nothing[64];
  for (;;) {
    const ssize_t got = read(iterator.get(), nothing, sizeof(nothing));
    if (got == 0) return {};
    if (got < 0 && errno != EINTR && errno != EAGAIN) return from_errno("walk the links", errno);
  }
}

}  // namespace

void Holdfast::Destroy::operator()(holdfast_bpf* object) const {
  holdfast_bpf__destroy(object);
}
Holdfast::Holdfast(std::unique_ptr<holdfast_bpf, Destroy> object) : object_(std::move(object)) {}
Holdfast::Holdfast(Holdfast&&) noexcept = default;
Holdfast::~Holdfast() = default;

Result<Holdfast> Holdfast::attach() {
  std::unique_ptr<holdfast_bpf, Destroy> object(holdfast_bpf__open());
  if (!object) return libbpf_error("open the holdfast programs", errno);
  if (const int error = holdfast_bpf__load(object.get()))
    return libbpf_error("load the holdfast programs (does the kernel have CONFIG_CGROUP_BPF?)", error);
  TRY_ASSIGN(const Fd root, open_root_cgroup());
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object->obj) {
    const bpf_attach_type type = bpf_program__expected_attach_type(program);
    if (type != BPF_LSM_CGROUP && type != BPF_CGROUP_SYSCTL) continue;
    // Multi: other programs may hang there and below, as systemd's do.
    if (bpf_prog_attach(bpf_program__fd(program), root.get(), type, BPF_F_ALLOW_MULTI) != 0)
      return libbpf_error(std::string("attach ") + bpf_program__name(program) + " to the root cgroup", errno);
  }
  return Holdfast(std::move(object));
}

Result<void> Holdfast::arm(const Programs& programs) {
  TRY(run_iterator(object_->progs.diglim_hold_find));
  diglim_held held = {};
  held.all = DIGLIM_HELD_OTHERS;
  for (const auto& [name, id] : programs.attached()) {
    const auto* ids = object_->bss->found_ids;
    const auto* at = std::find(ids, ids + object_->bss->found_count, id);
    size_t place = static_cast<size_t>(std::find(std::begin(kPlaces), std::end(kPlaces), name) - kPlaces);
    if (place == DIGLIM_HELD_OTHERS) place = held.all++;
    if (at == ids + object_->bss->found_count || place >= DIGLIM_HELD_MAX ||
        object_->bss->found[at - ids].list == 0) {
      return unsupported("the kernel does not show where " + name + " is attached");
    }
    held.links[place] = object_->bss->found[at - ids];
  }
  for (size_t i = 0; i < DIGLIM_HELD_OTHERS; ++i) {
    if (held.links[i].list == 0 && i != kOptional)
      return unsupported(std::string(kPlaces[i]) + " is not attached");
  }
  const uint32_t zero = 0;
  const int map = bpf_map__fd(object_->maps.diglim_held);
  if (bpf_map_update_elem(map, &zero, &held, BPF_ANY) != 0) return from_errno("arm the holdfast", errno);
  if (bpf_map_freeze(map) != 0) return from_errno("freeze BPF map diglim_held", errno);
  return {};
}

}  // namespace diglim
