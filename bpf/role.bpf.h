/* SPDX-License-Identifier: GPL-2.0-only */
/* Who is the loader: only it may use our maps and programs (decisions D8 and D18).
 *
 * Architecture: the exec hook sees the loader's digest and writes down the number that the task's image will have when the exec succeeds
 * (self_exec_id, which counts the images of a task and is never set back). Each question compares that number. So a role begins with its
 * exec, ends with the next one, is not inherited, and needs no program of its own on the hooks of exec and exit.
 */
#ifndef DIGLIM_BPF_ROLE_H
#define DIGLIM_BPF_ROLE_H

#include "bpf/vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/abi.h"
#include "bpf/event.bpf.h"

/* By process. The least recently used entry goes when there is no room: those of the dead, which nobody looks at. */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, DIGLIM_ROLES);
  __type(key, u32);
  __type(value, struct diglim_task);
} diglim_tasks SEC(".maps");

/* 1: a process with this number, modulo the size, may be in diglim_tasks. It spares all others the look-up at each exec. */
__u8 diglim_may_have_role[DIGLIM_ROLES];

/* The entry of a task's process, or null. By process and its start, which a thread that executes takes over from the leader. */
static __always_inline struct diglim_task *find_task(struct task_struct *task)
{
  u32 pid = task->tgid;
  struct diglim_task *entry = bpf_map_lookup_elem(&diglim_tasks, &pid);

  if (!entry || entry->start_time != task->group_leader->start_boottime)
    return NULL;
  return entry;
}

static __always_inline bool has_role(struct task_struct *task)
{
  struct diglim_task *entry = find_task(task);
  u64 exec_id;

  if (!entry)
    return false;
  exec_id = task->self_exec_id;
  return entry->exec_id == exec_id || entry->next_exec_id == exec_id;
}

static long see_text(struct task_struct *task, struct vm_area_struct *vma, bool *is_original)
{
  *is_original = vma->anon_vma == NULL;
  return 0;
}

/* Is the program of this task what its file says? A breakpoint of a uprobe changes it without tracing: in the middle of an instruction
 * it turns a check into anything. While there are breakpoints, the flags of the memory say so. If one in the code was taken away again,
 * the code's mapping has pages of its own.
 */
static __always_inline bool is_unchanged(struct task_struct *task)
{
  struct mm_struct *mm = task->mm;
  struct mm_struct___v6_18 *v6_18 = (void *)mm;
  bool is_original = false;
  u64 flags;

  if (!mm)
    return false;
  if (bpf_core_field_exists(v6_18->flags.__mm_flags))
    flags = BPF_CORE_READ(v6_18, flags.__mm_flags[0]);
  else
    flags = mm->flags;
  if (flags & (MMF_HAS_UPROBES | MMF_RECALC_UPROBES))
    return false;
  return bpf_find_vma(task, mm->start_code, see_text, &is_original, 0) == 0 && is_original;
}

static __always_inline bool is_loader(void)
{
  struct task_struct *current = bpf_get_current_task_btf();

  if (!has_role(current))
    return false;
  if (is_unchanged(current))
    return true;
  (void)guard(DIGLIM_GUARD_MARK, NULL);
  return false;
}

/* At each check of an exec the wish of an earlier check is void, since another file will run. REQUIRES: called by the exec hook before it
 * decides.
 */
static __always_inline void forget_wish(void)
{
  u32 pid = bpf_get_current_pid_tgid() >> 32;
  struct task_struct *current;
  struct diglim_task *entry;

  if (!*(volatile __u8 *)&diglim_may_have_role[pid & (DIGLIM_ROLES - 1)])
    return;
  current = bpf_get_current_task_btf();
  entry = find_task(current);
  if (!entry)
    return;
  if (entry->next_exec_id == current->self_exec_id)
    entry->exec_id = current->self_exec_id;
  entry->next_exec_id = 0;
}

static __always_inline long put_role(struct task_struct *task, struct diglim_task *entry)
{
  u32 pid = task->tgid;

  entry->start_time = task->group_leader->start_boottime;
  diglim_may_have_role[pid & (DIGLIM_ROLES - 1)] = 1;
  return bpf_map_update_elem(&diglim_tasks, &pid, entry, BPF_ANY);
}

/* The loader is about to run here. Only root gets the role: nobody else can use bpf(2) for this, and a user with a thousand loaders would
 * push out others. Nobody gets it if somebody else could act through him: a tracer, a seccomp filter whose supervisor forges the answers of
 * bpf(), a process that shares his working directory.
 */
static __always_inline void wish_for_role(struct linux_binprm *bprm)
{
  struct task_struct *current = bpf_get_current_task_btf();
  struct diglim_task *entry = find_task(current);
  struct diglim_task wish = {};

  if ((u32)bpf_get_current_uid_gid() != 0)
    return;
  if (bprm->unsafe || current->ptrace || current->seccomp.mode == SECCOMP_MODE_FILTER) {
    (void)guard(DIGLIM_GUARD_MARK, NULL); /* it runs, but without rights */
    return;
  }
  /* A process that has a role keeps it if the exec fails. */
  if (entry)
    wish.exec_id = entry->exec_id;
  wish.next_exec_id = current->self_exec_id + 1;
  (void)put_role(current, &wish); /* if there is no room, it runs without rights */
}

/* The calling process takes the role until it executes something else: PID 1 at boot. By BPF_PROG_TEST_RUN: the caller
 * needs a descriptor of this program. The kernel knows the process, whatever pid namespace it is in.
 */
SEC("syscall")
int diglim_take_role(void *nothing)
{
  struct task_struct *current = bpf_get_current_task_btf();
  struct diglim_task entry = {.exec_id = current->self_exec_id};

  return put_role(current, &entry);
}

#endif
