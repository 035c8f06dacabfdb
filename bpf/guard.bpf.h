/* SPDX-License-Identifier: GPL-2.0-only */
/* DIGLIM against root: only the loader touches our maps and programs (decision D8). hold.bpf.h keeps them where they are. */
#ifndef DIGLIM_BPF_GUARD_H
#define DIGLIM_BPF_GUARD_H

#include "bpf/hold.bpf.h"
#include "bpf/keeper.bpf.h"

/* A hash map and not task storage: that one refuses now and then on 6.1, when another task of the same CPU is inside it
 * (bpf_task_storage_trylock), and a guard that sometimes sees no role protects nobody. Entries go with their tasks (task_free).
 */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1024);
  __type(key, u32);
  __type(value, struct diglim_task);
} diglim_tasks SEC(".maps");

/* The note of a task's process, or null. By process: an exec by another thread takes over the leader's id and start. */
static __always_inline struct diglim_task *find_task(struct task_struct *task)
{
  u32 pid = BPF_CORE_READ(task, tgid);
  struct diglim_task *note = bpf_map_lookup_elem(&diglim_tasks, &pid);

  if (!note || (note->start_time && note->start_time != BPF_CORE_READ(task, group_leader, start_boottime)))
    return NULL;
  return note;
}

static __always_inline u32 role_of(struct task_struct *task)
{
  struct diglim_task *note = find_task(task);

  return note ? note->role : DIGLIM_ROLE_NONE;
}

SEC("lsm/task_free")
int BPF_PROG(diglim_task_free, struct task_struct *task)
{
  u32 pid = BPF_CORE_READ(task, tgid);

  /* Found by its start: the id may belong to a new process already. */
  if (BPF_CORE_READ(task, group_leader) == task && find_task(task))
    bpf_map_delete_elem(&diglim_tasks, &pid);
  return 0;
}

static __always_inline bool is_loader(void)
{
  return role_of(bpf_get_current_task_btf()) == DIGLIM_ROLE_LOADER;
}

static __always_inline int guard(enum diglim_guard what, struct dentry *dentry)
{
  struct report report = {
      .kind = DIGLIM_KIND_GUARD, .reason = DIGLIM_REASON_PROTECTED, .detail = what, .dentry = dentry};

  report.enforced = diglim_mode != DIGLIM_MODE_PERMISSIVE;
  emit(&report, NULL);
  return refuse(report.enforced, -EPERM);
}

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

SEC("lsm.s/bpf_map")
int BPF_PROG(diglim_bpf_map, struct bpf_map *map, unsigned int mode)
{
  char name[16];

  bpf_probe_read_kernel(name, sizeof(name), map->name);
  if (!is_ours(name) || is_loader())
    return 0;
  return guard(DIGLIM_GUARD_MAP, NULL);
}

SEC("lsm.s/bpf_prog")
int BPF_PROG(diglim_bpf_prog, struct bpf_prog *prog)
{
  char name[16];

  /* It calls bpf_override_return(): attached to system calls it could forge what the loader sees. Each user needs a descriptor. */
  if (BPF_CORE_READ_BITFIELD_PROBED(prog, kprobe_override) && !is_loader())
    return guard(DIGLIM_GUARD_PROG_LOAD, NULL);
  bpf_probe_read_kernel(name, sizeof(name),
                        (void *)BPF_CORE_READ(prog, aux) + bpf_core_field_offset(struct bpf_prog_aux, name));
  if (!is_ours(name) || is_loader())
    return 0;
  return guard(DIGLIM_GUARD_PROG, NULL);
}

/* Programs that could answer in our place: LSM programs, those that replace a function's return, those that replace a
 * function of another program.
 */
SEC("lsm.s/bpf")
int BPF_PROG(diglim_bpf, int command, union bpf_attr *attr, unsigned int size)
{
  union bpf_attr copy = {};

  if (command != BPF_PROG_LOAD || is_loader())
    return 0;
  bpf_probe_read_kernel(&copy, __builtin_offsetof(union bpf_attr, expected_attach_type) + sizeof(u32), attr);
  if (copy.prog_type == BPF_PROG_TYPE_LSM || copy.prog_type == BPF_PROG_TYPE_EXT ||
      (copy.prog_type == BPF_PROG_TYPE_TRACING && copy.expected_attach_type == BPF_MODIFY_RETURN))
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
  if ((mode & PTRACE_MODE_ATTACH) && (role_of(child) != DIGLIM_ROLE_NONE || is_keeper(child)))
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

#define PROC_SUPER_MAGIC 0x9fa0
#define SECURITYFS_MAGIC 0x73636673

/* `wanted`: 16 bytes, zeros after the name. */
static __always_inline bool has_name(struct dentry *dentry, const char *wanted)
{
  char name[16] = {};

  bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(dentry, d_name.name));
#pragma unroll
  for (int i = 0; i < (int)sizeof(name); i++) {
    if (name[i] != wanted[i])
      return false;
  }
  return true;
}

/* Two files that nobody may write to. 0 in kernel.ftrace_enabled disconnects every BPF LSM program without a word. And once a rule of
 * an IMA policy collected a file, bpf_ima_file_hash() returns that digest, though truncate(2) has cut the file since: only the
 * loader writes the policy. REQUIRES: opened for write.
 */
static __always_inline int guard_switches(struct dentry *dentry)
{
  static const char ftrace[16] = "ftrace_enabled";
  static const char policy[16] = "policy";
  static const char ima[16] = "ima";
  u64 magic = BPF_CORE_READ(dentry, d_sb, s_magic);

  if (magic == PROC_SUPER_MAGIC && has_name(dentry, ftrace))
    return guard(DIGLIM_GUARD_FTRACE, dentry);
  if (magic == SECURITYFS_MAGIC && has_name(dentry, policy) &&
      has_name(BPF_CORE_READ(dentry, d_parent), ima) && !is_loader())
    return guard(DIGLIM_GUARD_IMA_POLICY, dentry);
  return 0;
}

#endif
