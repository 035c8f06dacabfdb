/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the links are held, and the only ways in (decision D19).
 *
 * Architecture: at boot the loader pins every link in a bpffs that lies in the mount namespace of the kernel thread kdevtmpfs, over
 * its root, below an empty read-only tmpfs (loader/kernel/hold.cpp). No process holds anything, and no path of anybody leads there.
 * Nobody can kill, freeze or trace a thread of the kernel, and this one keeps its namespace until the machine ends. To change mounts in
 * a namespace, a process must have entered it or have a path into it. So it is enough to guard the ways in:
 *   ptrace_access_check  /proc/PID/root, cwd and ns/mnt of that thread, setns() with its pidfd, PIDFD_GET_MNT_NAMESPACE: the kernel
 *                        asks whether it may be traced, mostly for reading. Refused to everybody, also to the loader
 *   file_open            the namespace's file of nsfs, by ways that need no task: NS_MNT_GET_NEXT (6.12), open_by_handle_at() (7.x)
 * Guards of umount, mount, unlink or rename would add nothing behind these, and could not replace them: mount_setattr(2) asks no hook.
 * Links need no guard of their own: the kernel neither detaches nor updates a link of a tracing or LSM program.
 */
#ifndef DIGLIM_BPF_HOLD_H
#define DIGLIM_BPF_HOLD_H

#include "bpf/vmlinux.h"

#include <bpf/bpf_core_read.h>

/* Address of that struct mnt_namespace, set by the loader before load; 0: there is none. */
const volatile __u64 diglim_hidden_ns;

static __always_inline bool is_hidden_task(struct task_struct *task)
{
  return diglim_hidden_ns && (u64)task->nsproxy->mnt_ns == diglim_hidden_ns;
}

/* Two instructions for all other files: nothing but nsfs has the address of a namespace there. */
static __always_inline bool is_hidden_namespace_file(struct file *file)
{
  u64 hidden = diglim_hidden_ns;

  return hidden && (u64)file->f_inode->i_private == hidden + bpf_core_field_offset(struct mnt_namespace, ns);
}

#endif
