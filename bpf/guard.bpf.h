/* SPDX-License-Identifier: GPL-2.0-only */
/* DIGLIM against root. Only the loader touches our maps and programs, and nobody switches off ftrace (decision D8). Others' programs can
 * only add denials (D20). Nobody drops pages that were checked (D22). hold.bpf.h guards the links, keeper.bpf.h the log.
 */
#ifndef DIGLIM_BPF_GUARD_H
#define DIGLIM_BPF_GUARD_H

#include "bpf/vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/abi.h"
#include "bpf/event.bpf.h"
#include "bpf/hold.bpf.h"
#include "bpf/keeper.bpf.h"
#include "bpf/role.bpf.h"
#include "bpf/settings.bpf.h"
#include "bpf/write.bpf.h"

/* REQUIRES: `name` is the kernel's fixed 16-byte name field. */
static __always_inline bool is_ours(const char *name)
{
  static const char prefix[] = DIGLIM_NAME_PREFIX;

#pragma unroll
  for (int i = 0; i < (int)sizeof(prefix) - 1; i++) {
    if (name[i] != prefix[i])
      return false;
  }
  return true;
}

/* Is this system call bpf(BPF_PROG_GET_FD_BY_ID) or bpf(BPF_MAP_GET_FD_BY_ID)? The saved registers tell. */
static __always_inline bool is_listing(void)
{
  struct pt_regs *registers = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());
  u32 command;

  switch ((u32)registers->orig_ax & ~X32_SYSCALL_BIT) {
  case 321: /* bpf */
    command = registers->di;
    break;
  case 357: /* bpf, 32 bits */
    command = registers->bx;
    break;
  default:
    return false;
  }
  return command == BPF_PROG_GET_FD_BY_ID || command == BPF_MAP_GET_FD_BY_ID;
}

/* Somebody wants a descriptor. bpftool and perf ask for every object: they stop at an object that is refused, and pass over one that is
 * gone. So the answer about ours is that they are gone, without a line in the log for each.
 */
static __noinline int refuse_descriptor(enum diglim_guard what)
{
  if (is_listing())
    return refuse(diglim_mode != DIGLIM_MODE_PERMISSIVE, -ENOENT);
  return guard(what, NULL);
}

SEC("lsm.s/bpf_map")
int BPF_PROG(diglim_bpf_map, struct bpf_map *map, unsigned int mode)
{
  char name[16];

  bpf_probe_read_kernel(name, sizeof(name), map->name);
  if (!is_ours(name) || is_loader())
    return 0;
  return refuse_descriptor(DIGLIM_GUARD_MAP);
}

SEC("lsm.s/bpf_prog")
int BPF_PROG(diglim_bpf_prog, struct bpf_prog *prog)
{
  char name[16];

  /* It calls bpf_override_return(): attached to system calls it could forge what the loader sees. Each user needs a descriptor. */
  if (BPF_CORE_READ_BITFIELD_PROBED(prog, kprobe_override) && !is_loader())
    return refuse_descriptor(DIGLIM_GUARD_PROG_LOAD);
  bpf_probe_read_kernel(name, sizeof(name), (void *)BPF_CORE_READ(prog, aux) + bpf_core_field_offset(struct bpf_prog_aux, name));
  if (!is_ours(name) || is_loader())
    return 0;
  return refuse_descriptor(DIGLIM_GUARD_PROG);
}

/* Could a program of others answer in our place? A program that can only refuse does no harm: a refused call does not happen, so our notes
 * need not tell of it. A positive answer is a refusal to some callers of a hook and consent to others. So if the kernel lets an LSM program
 * give one (diglim_lsm_answers), only those hooks are free whose caller turns it into an error. Programs that replace a function's return
 * are refused on every kernel: they could answer IMA's question and forge system calls.
 */
static __always_inline bool could_answer_for_us(const union bpf_attr *attr)
{
  if (attr->prog_type == BPF_PROG_TYPE_TRACING)
    return attr->expected_attach_type == BPF_MODIFY_RETURN;
  if (attr->prog_type != BPF_PROG_TYPE_LSM)
    return false;
  if (attr->expected_attach_type == BPF_LSM_CGROUP)
    return diglim_lsm_answers & DIGLIM_ANSWERS_CGROUP;
  if (!(diglim_lsm_answers & DIGLIM_ANSWERS_MAC))
    return false;
  for (u32 i = 0; i < DIGLIM_FREE_HOOKS; i++) {
    if (diglim_free_hooks[i] && attr->attach_btf_id == diglim_free_hooks[i])
      return false;
  }
  return true;
}

/* The kernel asks the two hooks above when it makes a descriptor, not when one is used. So a loader that was changed after it opened a map
 * is stopped here, when it publishes. The keeper is excepted: it has descriptors only of its counters.
 */
static __always_inline bool is_changed_publisher(int command)
{
  struct task_struct *current = bpf_get_current_task_btf();

  if (command != BPF_MAP_UPDATE_ELEM && command != BPF_MAP_UPDATE_BATCH)
    return false;
  return has_role(current) && !is_unchanged(current) && !is_keeper(current);
}

SEC("lsm.s/bpf")
int BPF_PROG(diglim_bpf, int command, union bpf_attr *attr, unsigned int size)
{
  union bpf_attr copy = {};

  if (is_changed_publisher(command))
    return guard(DIGLIM_GUARD_MARK, NULL);
  if (command != BPF_PROG_LOAD || is_loader())
    return 0;
  bpf_probe_read_kernel(&copy, __builtin_offsetof(union bpf_attr, attach_btf_id) + sizeof(u32), attr);
  if (could_answer_for_us(&copy))
    return guard(DIGLIM_GUARD_PROG_LOAD, NULL);
  return 0;
}

/* The loader and the keeper may be looked at, not changed. */
SEC("lsm/ptrace_access_check")
int BPF_PROG(diglim_ptrace, struct task_struct *child, unsigned int mode)
{
  if (is_hidden_task(child)) {
    /* ps and top: /proc/PID/stat only leaves something out. */
    if (mode & PTRACE_MODE_NOAUDIT)
      return refuse(diglim_mode != DIGLIM_MODE_PERMISSIVE, -EPERM);
    return guard(DIGLIM_GUARD_HIDDEN, NULL);
  }
  if ((mode & PTRACE_MODE_ATTACH) && (has_role(child) || is_keeper(child)))
    return guard(DIGLIM_GUARD_PTRACE, NULL);
  return 0;
}

SEC("lsm/task_kill")
int BPF_PROG(diglim_kill, struct task_struct *target, struct kernel_siginfo *info, int signal, const struct cred *cred)
{
  if (signal == 0 || (u64)info == SEND_SIG_PRIV || !is_keeper(target))
    return 0;
  /* PID 1 signals all processes when it leaves the initramfs or shuts down: refused like any other, but nobody did anything. */
  if (bpf_get_current_pid_tgid() >> 32 == 1) {
    if (diglim_mode == DIGLIM_MODE_ENFORCE)
      return -EPERM;
    return 0;
  }
  return guard(DIGLIM_GUARD_KILL, NULL);
}

/* Without descriptors it could not open the log; out of CPU time, the kernel would kill it. */
SEC("lsm/task_setrlimit")
int BPF_PROG(diglim_setrlimit, struct task_struct *task, unsigned int resource, struct rlimit *limit)
{
  if (!is_keeper(task))
    return 0;
  return guard(DIGLIM_GUARD_LIMIT, NULL);
}

/* Is this task in madvise(MADV_HWPOISON)? It drops a page that was hashed but not written, and the disk's content comes back. The number of
 * the system call tells. io_uring leaves it to workers (io_madvise), which have no such number: so they get no CAP_SYS_ADMIN at all.
 */
static __always_inline bool drops_pages(struct task_struct *task)
{
  struct pt_regs *registers = (void *)bpf_task_pt_regs(task);

  if (task->flags & PF_IO_WORKER)
    return true;
  switch ((u32)registers->orig_ax & ~X32_SYSCALL_BIT) {
  case 28:  /* madvise */
  case 219: /* madvise, 32 bits */
    return (u32)registers->dx == MADV_HWPOISON;
  case 440: /* process_madvise, the same everywhere; it asks for nothing else */
    return true;
  }
  return false;
}

/* Before the kernel drops such a page, it asks for this capability, and nothing else. */
SEC("lsm/capable")
int BPF_PROG(diglim_capable, const struct cred *cred, struct user_namespace *namespace, int capability, unsigned int options)
{
  struct task_struct *task;

  if (capability != CAP_SYS_ADMIN || namespace->level != 0)
    return 0;
  task = bpf_get_current_task_btf();
  if (is_swapon(task))
    __sync_fetch_and_or(&diglim_writes, DIGLIM_WRITES_SWAP);
  if (!drops_pages(task))
    return 0;
  return guard(DIGLIM_GUARD_CONTENT, NULL);
}

/* `wanted`: 24 bytes, zeros after the name. */
static __always_inline bool has_name(struct dentry *dentry, const char *wanted)
{
  char name[24] = {};

  bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(dentry, d_name.name));
#pragma unroll
  for (int i = 0; i < (int)sizeof(name); i++) {
    if (name[i] != wanted[i])
      return false;
  }
  return true;
}

/* Files of the kernel that nobody may write to:
 *   ftrace_enabled     0 disconnects every BPF LSM program without a word
 *   IMA's policy       only the loader may. If a rule collected a file, bpf_ima_file_hash() returns that digest, also after truncate(2)
 *   hard_offline_page  drops content that is not written yet, as MADV_HWPOISON does
 * REQUIRES: opened for write, on a file system of that kind.
 */
static __noinline int guard_switch(struct dentry *dentry, u32 magic)
{
  static const char ftrace[24] = "ftrace_enabled";
  static const char policy[24] = "policy";
  static const char ima[24] = "ima";
  static const char offline[24] = "hard_offline_page";

  switch (magic) {
  case PROC_SUPER_MAGIC:
    if (has_name(dentry, ftrace))
      return guard(DIGLIM_GUARD_FTRACE, dentry);
    return 0;
  case SECURITYFS_MAGIC:
    if (has_name(dentry, policy) && has_name(BPF_CORE_READ(dentry, d_parent), ima) && !is_loader())
      return guard(DIGLIM_GUARD_IMA_POLICY, dentry);
    return 0;
  case SYSFS_MAGIC:
    if (has_name(dentry, offline))
      return guard(DIGLIM_GUARD_CONTENT, dentry);
    return 0;
  }
  return 0;
}

static __always_inline bool has_switches(u32 magic)
{
  return magic == PROC_SUPER_MAGIC || magic == SECURITYFS_MAGIC || magic == SYSFS_MAGIC;
}

#endif
