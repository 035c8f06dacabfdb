/* SPDX-License-Identifier: GPL-2.0-only */
/* Events: what was denied (or would have been), for the log (decision D12). Lost events are counted, and nothing waits for the reader. */
#ifndef DIGLIM_BPF_EVENT_H
#define DIGLIM_BPF_EVENT_H

#include "bpf/vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/abi.h"
#include "bpf/describe.bpf.h"
#include "bpf/settings.bpf.h"

/* Read by the keeper. Holds about 800 events. */
struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 21);
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

/* `digest`: 64 bytes, or null. Who it was and where is found out here, so that what is allowed pays nothing for it. */
static __always_inline void emit(const struct report *report, const u64 *digest)
{
  struct inode *inode = report->inode;
  u64 number = __sync_fetch_and_add(&diglim_counters.events, 1) + 1;
  struct diglim_event *event;

  if (report->reason) {
    count(report->kind, report->enforced ? DIGLIM_OUTCOME_DENIED : DIGLIM_OUTCOME_PASSED);
    __sync_fetch_and_add(&diglim_counters.denied, 1);
  }
  event = bpf_ringbuf_reserve(&diglim_events, sizeof(*event), 0);
  if (!event) {
    if (report->reason)
      __sync_fetch_and_add(&diglim_counters.dropped_events, 1);
    __sync_fetch_and_add(&diglim_counters.dropped[report->reason ? report->kind & 7 : 0], 1);
    return;
  }
  event->version = DIGLIM_ABI_VERSION;
  event->kind = report->kind;
  event->reason = report->reason;
  event->enforced = report->enforced;
  event->digest_size = digest ? sizeof(event->digest) : 0;
  event->algo = report->algo;
  event->detail = report->detail;
  event->generation = report->generation;
  event->inode = inode ? BPF_CORE_READ(inode, i_ino) : 0;
  event->device = inode ? BPF_CORE_READ(inode, i_sb, s_dev) : 0;
  event->number = number;
  event->dropped = diglim_counters.dropped_events;
  event->dropped_allowed = diglim_counters.dropped[0];
  if (digest)
    __builtin_memcpy(event->digest, digest, sizeof(event->digest));
  else
    __builtin_memset(event->digest, 0, sizeof(event->digest));
  describe(event, report->mnt, report->dentry);
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
