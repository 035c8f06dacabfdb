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
  /* PID 1 signals all processes when it leaves the initramfs or shuts down: refused like any other, but nobody did anything. */
  if (bpf_get_current_pid_tgid() >> 32 == 1) {
    if (diglim_mode == DIGLIM_MODE_ENFORCE)
      return -EPERM;
    return 0;
  }
  return guard(DIGLIM_GUARD_KILL, NULL);
}

#define PINS_DEPTH 8     /* mounts from the pins' bpffs up to the root */
#define MAX_MASTERS 4    /* groups that one mount receives from, through each other */
#define MOUNT_DEPTH 32   /* mounts upwards from any mount */
#define MAX_PEERS 65536  /* mounts in one peer group */
#define FOLDER_DEPTH 16  /* folders upwards from a mountpoint */
#define MNT_DETACH 2     /* flag of umount2(2) */

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

/* Has this mount a place for what another mount of its file system has at `mountpoint`? A bind mount of another folder has not. */
static __always_inline bool reaches(struct mount *mount, struct dentry *mountpoint)
{
  struct dentry *root = BPF_CORE_READ(mount, mnt.mnt_root);

  for (int i = 0; i < FOLDER_DEPTH; i++) {
    struct dentry *parent;

    if (mountpoint == root)
      return true;
    parent = BPF_CORE_READ(mountpoint, d_parent);
    if (!parent || parent == mountpoint)
      return false;
    mountpoint = parent;
  }
  return true;
}

struct peer_walk {
  struct mount *target;
  struct dentry *mountpoint;
  struct mount *first;
  struct mount *peer;
  u32 answer; /* 0: not known, 1: no peer is below the target, 2: one is */
};

static long visit_peer(u32 index, struct peer_walk *walk)
{
  struct mount *peer = walk->peer;

  if (is_below(peer, walk->target) && reaches(peer, walk->mountpoint)) {
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

/* Is a peer of `first`, with a place for `mountpoint`, below `target`? Without a lock: a list that changes meanwhile and never comes back to its start counts as yes. */
static __always_inline bool has_peer_below(struct mount *first, struct dentry *mountpoint, struct mount *target)
{
  struct peer_walk walk = {.target = target, .mountpoint = mountpoint, .first = first, .peer = first};

  bpf_loop(MAX_PEERS, visit_peer, &walk, 0);
  return walk.answer != 1;
}

struct pins_walk {
  struct mount *target;
  struct mount *mount;  /* the pins' mount, then its ancestors */
  struct mount *source; /* its parent, then the masters of that; null: not begun */
  u32 lazy;             /* MNT_DETACH, or 0 */
  u32 answer;           /* 0: not known, 1: the pins stay, 2: they would go */
};

/* One step: an ancestor, or one of the masters from which its parent receives. */
static long visit_ancestor(u32 index, struct pins_walk *walk)
{
  struct mount *target = walk->target;
  struct mount *mount = walk->mount;
  struct mount *source = walk->source;
  struct mount *parent = BPF_CORE_READ(mount, mnt_parent);
  int group;

  if (!source) {
    walk->source = parent;
    walk->answer = mount == target ? 2 : !parent || parent == mount ? 1 : 0;
    return walk->answer != 0;
  }
  group = BPF_CORE_READ(source, mnt_group_id);
  if ((group && group == BPF_CORE_READ(target, mnt_parent, mnt_group_id) &&
       BPF_CORE_READ(mount, mnt_mountpoint) == BPF_CORE_READ(target, mnt_mountpoint)) ||
      (walk->lazy && has_peer_below(source, BPF_CORE_READ(mount, mnt_mountpoint), target))) {
    walk->answer = 2;
    return 1;
  }
  walk->source = BPF_CORE_READ(source, mnt_master);
  if (!walk->source)
    walk->mount = parent;
  return 0;
}

/* Would unmounting `target` take the pins' bpffs along? It does if target is that mount or an ancestor of it. And unmounting a
 * child also unmounts what lies at the same mountpoint of each peer and slave of its parent (fs/pnode.c), where "child"
 * is target itself or, if it is a lazy unmount, anything below it (otherwise a mount with children is busy): the classic is
 * `umount -l` of a recursive bind mount of /sys. With more mounts than any sane system has between pins and root, the answer is yes:
 * refuse rather than lose them. bpf_loop(), as everywhere, keeps the verifier from following each turn.
 */
static __always_inline bool carries_pins(struct mount *target, int flags)
{
  struct pins_walk walk = {.target = target,
                           .mount = (void *)diglim_pins_mount,
                           .source = (void *)unknown_zero,
                           .lazy = flags & MNT_DETACH};

  bpf_loop(PINS_DEPTH * (1 + MAX_MASTERS), visit_ancestor, &walk, 0);
  return walk.answer != 1;
}

SEC("lsm.s/sb_umount")
int BPF_PROG(diglim_umount, struct vfsmount *mnt, int flags)
{
  struct mount *target = (void *)mnt - bpf_core_field_offset(struct mount, mnt);

  if (!diglim_pins_mount || !carries_pins(target, flags))
    return 0;
  return guard(DIGLIM_GUARD_UMOUNT, NULL);
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
