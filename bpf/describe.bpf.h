/* SPDX-License-Identifier: GPL-2.0-only */
/* Who did it, and where: what an event says beside the decision. Only for what is denied, or allowed for the first time. */
#ifndef DIGLIM_BPF_DESCRIBE_H
#define DIGLIM_BPF_DESCRIBE_H

#include "bpf/vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/abi.h"

#define PATH_COMPONENTS 64
#define CGROUP_COMPONENTS 32

/* Always 0, but the verifier must not know it. Up to 6.6 it follows a callback of bpf_loop() through its first turn only. It takes the code
 * that this turn cannot reach for dead, and removes it. So a variable that a callback changes and tests has to begin as something unknown.
 */
__u64 unknown_zero;

/* Components on their way into event->text. */
struct walk {
  struct diglim_event *event;
  struct mount *mount; /* null: stay in the file system */
  struct dentry *dentry;
  struct kernfs_node *group;
  u64 used;  /* of text */
  u64 end;   /* no component begins here or behind */
  u64 whole; /* the walk came to its end */
};

/* False: no more room, or no such memory. */
static __always_inline bool record_name(struct walk *walk, const char *name)
{
  u64 used = walk->used;
  long size;

  if (used >= walk->end)
    return false;
  /* The mask changes nothing; it is what the verifier of 6.1 understands, if the compiler leaves it there. */
  barrier_var(used);
  used &= DIGLIM_EVENT_TEXT - 1;
  size = bpf_probe_read_kernel_str(&walk->event->text[used], DIGLIM_NAME_MAX, name);
  if (size <= 0)
    return false;
  walk->used = used + size;
  return true;
}

/* One step towards the root. 1 ends the walk. */
static long record_component(u32 index, struct walk *walk)
{
  struct dentry *dentry = walk->dentry;
  struct mount *mount = walk->mount;
  struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
  struct dentry *root = mount ? BPF_CORE_READ(mount, mnt.mnt_root) : NULL;

  if (dentry == root || dentry == parent) {
    struct mount *above = mount ? BPF_CORE_READ(mount, mnt_parent) : NULL;

    if (!above || above == mount) {
      walk->whole = 1;
      return 1;
    }
    walk->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
    walk->mount = above;
    return 0;
  }
  if (!record_name(walk, (const char *)BPF_CORE_READ(dentry, d_name.name)))
    return 1;
  walk->dentry = parent;
  return 0;
}

static __always_inline struct kernfs_node *parent_of(struct kernfs_node *node)
{
  struct kernfs_node___v6_15 *newer = (void *)node;

  if (bpf_core_field_exists(newer->__parent))
    return BPF_CORE_READ(newer, __parent);
  return BPF_CORE_READ(node, parent);
}

static long record_group(u32 index, struct walk *walk)
{
  struct kernfs_node *group = walk->group;
  struct kernfs_node *parent = parent_of(group);

  if (!parent) {
    walk->whole = 1;
    return 1;
  }
  if (!record_name(walk, BPF_CORE_READ(group, name)))
    return 1;
  walk->group = parent;
  return 0;
}

static __always_inline struct mount *mount_of(struct vfsmount *mnt)
{
  return mnt ? (void *)mnt - bpf_core_field_offset(struct mount, mnt) : NULL;
}

/* Components from `dentry` up to the root of the mount tree (or of the file system, when `mnt` is null), behind walk->used; how many bytes.
 * No lock is taken: a rename meanwhile can give a path that never was. bpf_d_path() cannot be used here on 6.1. bpf_loop(), because the
 * verifier walks an ordinary loop once for each turn, in every program.
 */
static __always_inline u32 record_path(struct walk *walk, struct vfsmount *mnt, struct dentry *dentry, u64 end)
{
  u64 begin = walk->used;

  walk->mount = mount_of(mnt);
  walk->dentry = dentry;
  walk->end = end;
  walk->whole = unknown_zero;
  bpf_loop(PATH_COMPONENTS, record_component, walk, 0);
  return walk->used - begin;
}

static __always_inline void record_cgroup(struct walk *walk, struct task_struct *task)
{
  struct diglim_event *event = walk->event;
  struct kernfs_node *group = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn);
  u64 begin = walk->used;

  walk->group = group;
  walk->end = begin + DIGLIM_EVENT_CGROUP;
  walk->whole = unknown_zero;
  event->cgroup = BPF_CORE_READ(group, id);
  bpf_loop(CGROUP_COMPONENTS, record_group, walk, 0);
  event->cgroup_bytes = walk->used - begin;
  event->cgroup_cut = !walk->whole;
}

static __always_inline void record_namespaces(struct diglim_event *event, struct task_struct *task)
{
  struct pid *pid = BPF_CORE_READ(task, group_leader, thread_pid);
  struct upid *inner =
      (void *)pid + bpf_core_field_offset(struct pid, numbers) + BPF_CORE_READ(pid, level) * bpf_core_type_size(struct upid);

  event->inner_pid = BPF_CORE_READ(inner, nr);
  event->pid_namespace = BPF_CORE_READ(inner, ns, ns.inum);
  event->mount_namespace = BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum);
}

static __always_inline void record_people(struct diglim_event *event, struct task_struct *task)
{
  event->pid = bpf_get_current_pid_tgid() >> 32;
  event->uid = (u32)bpf_get_current_uid_gid();
  event->auid = DIGLIM_NOBODY;
  event->session = DIGLIM_NOBODY;
  if (bpf_core_field_exists(task->loginuid) && bpf_core_field_exists(task->sessionid)) {
    event->auid = BPF_CORE_READ(task, loginuid.val);
    event->session = BPF_CORE_READ(task, sessionid);
  }
  event->parent = BPF_CORE_READ(task, real_parent, tgid);
  bpf_get_current_comm(event->command, sizeof(event->command));
  BPF_CORE_READ_STR_INTO(&event->parent_command, task, real_parent, comm);
}

/* Fills what depends on `dentry` (null: no path) and on the current process. A function of its own: all programs share it. */
static __noinline int describe(struct diglim_event *event, struct vfsmount *mnt, struct dentry *dentry)
{
  struct task_struct *task = (void *)bpf_get_current_task();
  struct file *exe = BPF_CORE_READ(task, mm, exe_file);
  struct walk walk = {.event = event, .used = unknown_zero};

  event->time = bpf_ktime_get_boot_ns();
  event->reserved = 0;
  event->reserved_2 = 0;
  record_people(event, task);
  record_namespaces(event, task);
  event->path_bytes = 0;
  event->path_cut = 0;
  event->mount = 0;
  event->file_system[0] = 0;
  if (mnt)
    event->mount = BPF_CORE_READ(mount_of(mnt), mnt_id);
  if (dentry) {
    bpf_probe_read_kernel_str(event->file_system, sizeof(event->file_system), BPF_CORE_READ(dentry, d_sb, s_type, name));
    event->path_bytes = record_path(&walk, mnt, dentry, DIGLIM_EVENT_PATH);
    event->path_cut = !walk.whole;
  }
  record_cgroup(&walk, task);
  event->exe_bytes = 0;
  event->exe_cut = 0;
  if (exe) {
    event->exe_bytes = record_path(&walk, BPF_CORE_READ(exe, f_path.mnt), BPF_CORE_READ(exe, f_path.dentry), DIGLIM_EVENT_TEXT);
    event->exe_cut = !walk.whole;
  }
  return 0;
}

#endif
