/* SPDX-License-Identifier: GPL-2.0-only */
/* The keeper: the process that writes the log. It holds nothing: without it denials go on, unlogged.
 *
 * Architecture: the kernel itself notes who is the keeper (diglim_keep, which only the loader can run), so no pid namespace can lie
 * about it. The note is a lease: the keeper renews it when it has read the events. If it is killed, frozen or starved, the lease runs
 * out, and the next loader starts another keeper.
 * guard.bpf.h refuses signals, tracing and limits to it. cgroup.kill, the freezer, the OOM killer and SysRq ask no hook: then the lease
 * runs out, and `status` says so.
 */
#ifndef DIGLIM_BPF_KEEPER_H
#define DIGLIM_BPF_KEEPER_H

#include "bpf/vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "bpf/abi.h"
#include "bpf/digest_table.bpf.h"

/* Written by diglim_keep, read by the guards; 0 at start. */
struct {
  __u32 pid;        /* thread group id in the first pid namespace */
  __u64 start_time; /* start_boottime of the process, so that a later one with its id is nobody */
  __u64 renewed;    /* CLOCK_MONOTONIC; 0: there never was a keeper */
} diglim_keeper;

static __always_inline bool is_keeper(struct task_struct *task)
{
  return (u32)task->tgid == diglim_keeper.pid && task->group_leader->start_boottime == diglim_keeper.start_time;
}

SEC("syscall")
int diglim_keep(struct diglim_keep_request *request)
{
  struct task_struct *task = bpf_get_current_task_btf();
  u64 renewed = diglim_keeper.renewed;
  u64 now = bpf_ktime_get_ns(); /* after it, or the age could be negative */
  u64 age = now - renewed;

  request->boot_ns = bpf_ktime_get_boot_ns();
  request->monitor_until = monitor_until();
  request->is_inner = task->thread_pid->level != 0;
  request->pid = diglim_keeper.pid;
  request->age_ns = renewed ? age : DIGLIM_LEASE_NS;
  if (!request->claim)
    return 0;
  if (is_keeper(task)) {
    diglim_keeper.renewed = now;
    return 0;
  }
  if (renewed && age < DIGLIM_LEASE_NS)
    return -EBUSY;
  /* In a pid namespace it would end with that, and its owner might be nobody special. */
  if (request->is_inner)
    return -EPERM;
  /* One of two. The old one, should it wake up now, renews a lease that is not its own any more, for once. */
  if (!__sync_bool_compare_and_swap(&diglim_keeper.renewed, renewed, now))
    return -EBUSY;
  diglim_keeper.start_time = task->group_leader->start_boottime;
  diglim_keeper.pid = task->tgid;
  return 0;
}

#endif
