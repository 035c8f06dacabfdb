/* SPDX-License-Identifier: GPL-2.0-only */
/* Events: what was denied (or would have been), for the log (decision D12). Lost events are counted, and nothing waits for the reader. */
#ifndef DIGLIM_BPF_EVENT_H
#define DIGLIM_BPF_EVENT_H

#include "bpf/vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/abi.h"
#include "bpf/settings.bpf.h"

/* Read by the keeper. Holds about 700 events. */
struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 20);
} diglim_events SEC(".maps");

/* Written by the keeper, read by the loader. Here, so that it lives as long as the programs. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, u32);
  __type(value, struct diglim_log_counters);
} diglim_log SEC(".maps");

/* Written by every program, read by the loader; 0 at start. */
struct diglim_counters diglim_counters;

#define PATH_COMPONENTS 64

/* Always 0, but the verifier must not know it. Up to 6.6 it follows a callback of bpf_loop() through its first turn only. It takes the code
 * that this turn cannot reach for dead, and removes it. So a variable that a callback changes and tests has to begin as something unknown.
 */
__u64 unknown_zero;

struct path_walk {
  struct diglim_event *event;
  struct mount *mount; /* null: stay in the file system */
  struct dentry *dentry;
  u32 used;
};

/* One step towards the root. 1 ends the walk. */
static long record_component(u32 index, struct path_walk *walk)
{
  struct dentry *dentry = walk->dentry;
  struct mount *mount = walk->mount;
  struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
  struct dentry *root = mount ? BPF_CORE_READ(mount, mnt.mnt_root) : NULL;
  const unsigned char *name;
  u32 used = walk->used;
  long size;

  if (dentry == root || dentry == parent) {
    struct mount *above = mount ? BPF_CORE_READ(mount, mnt_parent) : NULL;

    if (!above || above == mount) {
      walk->event->path_cut = 0;
      return 1;
    }
    walk->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
    walk->mount = above;
    return 0;
  }
  if (used >= DIGLIM_EVENT_PATH)
    return 1;
  name = BPF_CORE_READ(dentry, d_name.name);
  /* The mask changes nothing; it is what the verifier of 6.1 understands, if the compiler leaves it there. */
  barrier_var(used);
  used &= DIGLIM_EVENT_PATH - 1;
  size = bpf_probe_read_kernel_str(&walk->event->path[used], DIGLIM_NAME_MAX, name);
  if (size <= 0)
    return 1;
  walk->used = used + size;
  walk->dentry = parent;
  return 0;
}

/* Components from `dentry` up to the root of the mount tree (or of the file system, when `mnt` is null). No lock is taken: a rename
 * meanwhile can give a path that never was. bpf_d_path() cannot be used here on 6.1. bpf_loop(), because the verifier walks
 * an ordinary loop once for each turn, in every program.
 */
static __always_inline void record_path(struct diglim_event *event, struct vfsmount *mnt, struct dentry *dentry)
{
  struct path_walk walk = {.event = event, .dentry = dentry, .used = unknown_zero};

  if (mnt)
    walk.mount = (void *)mnt - bpf_core_field_offset(struct mount, mnt);
  event->path_cut = 1;
  bpf_loop(PATH_COMPONENTS, record_component, &walk, 0);
  event->path_bytes = walk.used;
}

/* What the hooks know when they report. Passed by pointer, since BPF functions take five arguments. */
struct report {
  u8 kind;
  u8 reason;
  u16 algo;
  bool enforced;
  s32 detail;
  u64 generation;
  struct inode *inode;
  struct vfsmount *mnt;
  struct dentry *dentry; /* null: no path */
};

/* Only where something is decided: an atomic operation on a line that all processors share. */
static __always_inline void count(u8 kind, enum diglim_outcome outcome)
{
  __sync_fetch_and_add(&diglim_counters.decided[kind & (DIGLIM_KINDS - 1)][outcome], 1);
}

/* `digest`: 64 bytes, or null. */
static __always_inline void emit(const struct report *report, const u64 *digest)
{
  struct inode *inode = report->inode;
  struct diglim_event *event;

  count(report->kind, report->enforced ? DIGLIM_OUTCOME_DENIED : DIGLIM_OUTCOME_PASSED);
  __sync_fetch_and_add(&diglim_counters.denied, 1);
  event = bpf_ringbuf_reserve(&diglim_events, sizeof(*event), 0);
  if (!event) {
    __sync_fetch_and_add(&diglim_counters.dropped_events, 1);
    return;
  }
  event->version = DIGLIM_ABI_VERSION;
  event->kind = report->kind;
  event->reason = report->reason;
  event->enforced = report->enforced;
  event->digest_size = digest ? sizeof(event->digest) : 0;
  event->algo = report->algo;
  event->detail = report->detail;
  event->pid = bpf_get_current_pid_tgid() >> 32;
  event->uid = (u32)bpf_get_current_uid_gid();
  event->path_bytes = 0;
  event->generation = report->generation;
  event->inode = inode ? BPF_CORE_READ(inode, i_ino) : 0;
  event->device = inode ? BPF_CORE_READ(inode, i_sb, s_dev) : 0;
  event->path_cut = 0;
  __builtin_memset(event->reserved, 0, sizeof(event->reserved));
  if (digest)
    __builtin_memcpy(event->digest, digest, sizeof(event->digest));
  else
    __builtin_memset(event->digest, 0, sizeof(event->digest));
  bpf_get_current_comm(event->command, sizeof(event->command));
  if (report->dentry)
    record_path(event, report->mnt, report->dentry);
  bpf_ringbuf_submit(event, 0);
}

/* What a hook returns. Without the barrier the compiler calculates it, and the verifier of 6.12 cannot follow. */
static __always_inline int refuse(bool enforced, int error)
{
  if (enforced) {
    barrier();
    return error;
  }
  return 0;
}

/* An attempt on DIGLIM itself: reports it and says what the hook returns. */
static __always_inline int guard(enum diglim_guard what, struct dentry *dentry)
{
  struct report report = {.kind = DIGLIM_KIND_GUARD, .reason = DIGLIM_REASON_PROTECTED, .detail = what, .dentry = dentry};

  report.enforced = diglim_mode != DIGLIM_MODE_PERMISSIVE;
  emit(&report, NULL);
  return refuse(report.enforced, -EPERM);
}

#endif
