/* SPDX-License-Identifier: GPL-2.0-only */
/* DIGLIM against root: only the loader touches our maps and programs, and nothing takes them away (decision D8).
 *
 * The links that keep the programs attached are held twice: by pins in bpffs and by the keeper process. Pins go when they are
 * unlinked or when bpffs is unmounted, also by way of an ancestor or through mount propagation: refused here. The keeper can
 * be killed in ways that no hook sees (cgroup.kill, SysRq, the OOM killer); the pins then still hold.
 * Links need no guard of their own: an LSM link can neither be detached nor updated.
 */
#ifndef DIGLIM_BPF_GUARD_H
#define DIGLIM_BPF_GUARD_H

/* Processes with a role, or that may get one. Written by the exec hooks; entries go with the process. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1 << 16);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, struct diglim_task_key);
  __type(value, struct diglim_task);
} diglim_tasks SEC(".maps");

/* The keeper's process id. Written by the loader at boot, cleared when the keeper is gone; 0: there is none. */
__u32 diglim_keeper;

/* The group leader's start survives an exec by another thread, as the process id does. */
static __always_inline void task_key(struct task_struct *task, struct diglim_task_key *key)
{
  key->start = BPF_CORE_READ(task, group_leader, start_boottime);
  key->tgid = BPF_CORE_READ(task, tgid);
  key->reserved = 0;
}

static __always_inline struct diglim_task *find_task(struct task_struct *task)
{
  struct diglim_task_key key;

  task_key(task, &key);
  return bpf_map_lookup_elem(&diglim_tasks, &key);
}

static __always_inline u32 role_of(struct task_struct *task)
{
  struct diglim_task *note;

  if (diglim_keeper && (u32)BPF_CORE_READ(task, tgid) == diglim_keeper)
    return DIGLIM_ROLE_KEEPER;
  note = find_task(task);
  return note ? note->role : DIGLIM_ROLE_NONE;
}

static __always_inline bool is_loader(void)
{
  return role_of(bpf_get_current_task_btf()) == DIGLIM_ROLE_LOADER;
}

static __always_inline int guard(enum diglim_guard what, struct dentry *dentry)
{
  struct report report = {
      .kind = DIGLIM_KIND_GUARD, .reason = DIGLIM_REASON_PROTECTED, .detail = what, .dentry = dentry};

  emit(&report, NULL);
  if (diglim_mode == DIGLIM_MODE_ENFORCE)
    return -EPERM;
  return 0;
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

/* When the last reference to a process goes. */
SEC("lsm/task_free")
int BPF_PROG(diglim_task_free, struct task_struct *task)
{
  struct diglim_task_key key;

  if (BPF_CORE_READ(task, group_leader) != task)
    return 0;
  if (diglim_keeper && (u32)BPF_CORE_READ(task, tgid) == diglim_keeper)
    diglim_keeper = 0;
  task_key(task, &key);
  bpf_map_delete_elem(&diglim_tasks, &key);
  return 0;
}

SEC("lsm/ptrace_access_check")
int BPF_PROG(diglim_ptrace, struct task_struct *child, unsigned int mode)
{
  if ((mode & PTRACE_MODE_ATTACH) && role_of(child) != DIGLIM_ROLE_NONE)
    return guard(DIGLIM_GUARD_PTRACE, NULL);
  return 0;
}

SEC("lsm/task_kill")
int BPF_PROG(diglim_kill, struct task_struct *target, struct kernel_siginfo *info, int signal, const struct cred *cred)
{
  if (signal == 0 || (u64)info == SEND_SIG_PRIV || role_of(target) != DIGLIM_ROLE_KEEPER)
    return 0;
  return guard(DIGLIM_GUARD_KILL, NULL);
}

#define PINS_DEPTH 8     /* mounts from the pins' bpffs up to the root */
#define MAX_MASTERS 4    /* groups that one mount receives from, through each other */
#define MOUNT_DEPTH 32   /* mounts upwards from any mount */
#define MAX_PEERS 65536  /* mounts in one peer group */

/* The pins are /sys/fs/bpf/diglim/NAME: a dentry is one of them, or their folder. */
static __always_inline bool is_pin(struct dentry *dentry)
{
  char name[16] = {};

  if (BPF_CORE_READ(dentry, d_sb, s_dev) != diglim_pins_device)
    return false;
  bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(dentry, d_name.name));
  if (is_ours(name) && name[sizeof(DIGLIM_NAME_PREFIX) - 1] == 0)
    return true;
  __builtin_memset(name, 0, sizeof(name));
  bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(dentry, d_parent, d_name.name));
  return is_ours(name) && name[sizeof(DIGLIM_NAME_PREFIX) - 1] == 0;
}

static __always_inline int guard_pin(struct dentry *dentry)
{
  if (!is_pin(dentry) || is_loader())
    return 0;
  return guard(DIGLIM_GUARD_PIN, dentry);
}

/* Removing a directory that is a mountpoint only in another mount namespace unmounts it there, without asking sb_umount. So does
 * renaming over it (fs/namei.c: detach_mounts()).
 */
static __always_inline int guard_mountpoint(struct dentry *dentry)
{
  struct mount *mount = (void *)diglim_pins_mount;

  for (int i = 0; i < PINS_DEPTH && mount; i++) {
    struct mount *parent = BPF_CORE_READ(mount, mnt_parent);

    if (!parent || parent == mount)
      break;
    if (BPF_CORE_READ(mount, mnt_mountpoint) == dentry)
      return guard(DIGLIM_GUARD_PIN, dentry);
    mount = parent;
  }
  return 0;
}

SEC("lsm.s/inode_unlink")
int BPF_PROG(diglim_unlink, struct inode *dir, struct dentry *dentry)
{
  return guard_pin(dentry);
}

SEC("lsm.s/inode_rmdir")
int BPF_PROG(diglim_rmdir, struct inode *dir, struct dentry *dentry)
{
  int result = guard_pin(dentry);

  if (result)
    return result;
  return guard_mountpoint(dentry);
}

SEC("lsm.s/inode_rename")
int BPF_PROG(diglim_rename, struct inode *old_dir, struct dentry *old_dentry, struct inode *new_dir,
             struct dentry *new_dentry)
{
  int result = guard_pin(old_dentry);

  if (result)
    return result;
  result = guard_pin(new_dentry);
  if (result)
    return result;
  return guard_mountpoint(new_dentry);
}

/* Is `mount` the target or below it? */
static __always_inline bool is_below(struct mount *mount, struct mount *target)
{
  for (int i = 0; i < MOUNT_DEPTH; i++) {
    struct mount *parent = BPF_CORE_READ(mount, mnt_parent);

    if (mount == target)
      return true;
    if (!parent || parent == mount)
      return false;
    mount = parent;
  }
  return true;
}

struct peer_walk {
  struct mount *target;
  struct mount *first;
  struct mount *peer;
  u32 answer; /* 0: not known, 1: no peer is below the target, 2: one is */
};

static long visit_peer(u32 index, struct peer_walk *walk)
{
  struct mount *peer = walk->peer;

  if (is_below(peer, walk->target)) {
    walk->answer = 2;
    return 1;
  }
  peer = (void *)BPF_CORE_READ(peer, mnt_share.next) - bpf_core_field_offset(struct mount, mnt_share);
  walk->peer = peer;
  if (peer != walk->first)
    return 0;
  walk->answer = 1;
  return 1;
}

/* Is a peer of `first` below `target`? Without a lock: a list that changes meanwhile and never comes back to its start counts as yes. */
static __always_inline bool has_peer_below(struct mount *first, struct mount *target)
{
  struct peer_walk walk = {.target = target, .first = first, .peer = first};

  bpf_loop(MAX_PEERS, visit_peer, &walk, 0);
  return walk.answer != 1;
}

/* Would unmounting `target` take the pins' bpffs along? It does if target is that mount or an ancestor of it. And unmounting a
 * child also unmounts what lies at the same mountpoint of each peer and slave of its parent (fs/pnode.c), where "child"
 * is target itself or anything below it: the classic is `umount -l` of a recursive bind mount of /sys.
 */
static __always_inline bool carries_pins(struct mount *target)
{
  struct mount *mount = (void *)diglim_pins_mount;
  struct dentry *target_point = BPF_CORE_READ(target, mnt_mountpoint);
  int target_group = BPF_CORE_READ(target, mnt_parent, mnt_group_id);

  for (int i = 0; i < PINS_DEPTH; i++) {
    struct mount *parent = BPF_CORE_READ(mount, mnt_parent);
    struct mount *source = parent;

    if (mount == target)
      return true;
    if (!parent || parent == mount)
      return false;
    for (int j = 0; j < MAX_MASTERS && source; j++) {
      if (target_group && BPF_CORE_READ(source, mnt_group_id) == target_group &&
          BPF_CORE_READ(mount, mnt_mountpoint) == target_point)
        return true;
      if (has_peer_below(source, target))
        return true;
      source = BPF_CORE_READ(source, mnt_master);
    }
    mount = parent;
  }
  return true; /* deeper than any sane system mounts it: refuse rather than lose the pins */
}

SEC("lsm.s/sb_umount")
int BPF_PROG(diglim_umount, struct vfsmount *mnt, int flags)
{
  struct mount *target = (void *)mnt - bpf_core_field_offset(struct mount, mnt);

  if (!diglim_pins_mount || !carries_pins(target))
    return 0;
  return guard(DIGLIM_GUARD_UMOUNT, NULL);
}

#define PROC_SUPER_MAGIC 0x9fa0

/* Writing 0 to kernel.ftrace_enabled disconnects every BPF LSM program without a word. REQUIRES: opened for write. */
static __always_inline int guard_ftrace(struct dentry *dentry)
{
  static const char wanted[] = "ftrace_enabled";
  char name[sizeof(wanted)] = {};

  if (BPF_CORE_READ(dentry, d_sb, s_magic) != PROC_SUPER_MAGIC)
    return 0;
  bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(dentry, d_name.name));
#pragma unroll
  for (int i = 0; i < (int)sizeof(wanted) - 1; i++) {
    if (name[i] != wanted[i])
      return 0;
  }
  return guard(DIGLIM_GUARD_FTRACE, dentry);
}

#endif
