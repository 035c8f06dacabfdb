/* SPDX-License-Identifier: GPL-2.0-only */
/* Somebody is about to write: the verdict about the file is void. While the file is mapped executable, he gets ETXTBSY, the kernel's own
 * answer for a running program.
 *
 * Architecture: file_open and inode_setattr see every way of writing before it begins, also those through a file system on top
 * (overlayfs opens and cuts the inode below by the same functions). One way remains: if somebody mapped a page shared and writable, he can
 * keep hold of it beyond mapping and descriptor (a registered buffer of io_uring, direct I/O that is under way, RDMA, ...) and write to it
 * later. No count of the kernel shows it. So a file that was ever mapped like that is unknown for as long as its inode is in memory, and
 * a copy of it is known (decision D13).
 */
#ifndef DIGLIM_BPF_WRITE_H
#define DIGLIM_BPF_WRITE_H

#include "bpf/vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/abi.h"
#include "bpf/event.bpf.h"
#include "bpf/mapping.bpf.h"
#include "bpf/note.bpf.h"
#include "bpf/settings.bpf.h"

/* The answer of a hook that got no memory for its note. */
static __always_inline int no_memory(void)
{
  if (diglim_mode == DIGLIM_MODE_PERMISSIVE)
    return 0;
  return -ENOMEM;
}

/* The file is mapped executable. A function of its own, like all that is rare. */
static __noinline int refuse_write(struct inode *inode, struct file *file, struct dentry *dentry)
{
  struct report report = {.kind = DIGLIM_KIND_WRITE, .reason = DIGLIM_REASON_MAPPED, .inode = inode, .dentry = dentry};

  if (file)
    report.mnt = file->f_path.mnt;
  report.enforced = diglim_mode != DIGLIM_MODE_PERMISSIVE;
  emit(&report, NULL);
  return refuse(report.enforced, -ETXTBSY);
}

/* The file has a note: what was known of it is void. `file`: what is opened, or null. */
static __noinline int write_noted(struct inode *inode, struct inode_note *note, struct file *file, struct dentry *dentry)
{
  __sync_fetch_and_add(&note->writes, 1);
  if (note->manifest)
    return guard(DIGLIM_GUARD_MANIFEST, dentry);
  if (!*(volatile u32 *)&note->mapped_executable)
    return 0;
  /* From now on a mapper sees this writer and is refused. Without the reset, a linker that maps its own output would find it busy.
   * If it is reset already, another writer was as fast.
   */
  if (may_be_mapped(inode) || __sync_val_compare_and_swap(&note->mapped_executable, MAPPED, 0) == MAPPED_FOR_EVER)
    return refuse_write(inode, file, dentry);
  return 0;
}

/* REQUIRES: called before the write, by one who counts as a writer already (get_write_access() comes before the hooks). */
static __always_inline int before_write(struct inode *inode, struct file *file, struct dentry *dentry)
{
  struct inode_note *note;

  if (what_to_look_at() & DIGLIM_WRITES_COUNT_ALL) {
    /* If this write were not counted, a digest that IMA collected before would seem to hold. */
    note = make_note(inode);
    if (!note)
      return no_memory();
  } else {
    note = find_note(inode);
    if (!note)
      return 0;
  }
  return write_noted(inode, note, file, dentry);
}

/* From now on somebody may hold pages of the file unseen. REQUIRES: called before anybody can. */
static __always_inline int note_pinned(struct inode *inode)
{
  struct inode_note *note;

  if ((inode->i_mode & S_IFMT) != S_IFREG)
    return 0;
  note = make_note(inode);
  if (!note)
    return no_memory();
  *(volatile u32 *)&note->pinned = 1;
  __sync_fetch_and_add(&note->writes, 1);
  return 0;
}

/* Swapping writes to the blocks of a file, past the page cache. The cached pages keep the old content: after swapoff(2) they can be hashed,
 * and then the blocks be read again (decision D22). swapon(2) asks for CAP_SYS_ADMIN before it opens the file (DIGLIM_WRITES_SWAP).
 */
static __always_inline bool is_swapon(struct task_struct *task)
{
  struct pt_regs *registers = (void *)bpf_task_pt_regs(task);
  u32 number = registers->orig_ax & ~X32_SYSCALL_BIT;

  return number == 167 || number == 87; /* 64 bits, where 87 is unlink, and 32 bits */
}

/* Does a file system on top open it, so that its own inode will be mapped? If a hook tells of that mapping (below), nobody needs to know.
 */
static __always_inline bool is_below(struct file *file)
{
  u32 mode = file->f_mode;

  if (!(mode & FMODE_NOACCOUNT))
    return false;
  switch (diglim_below) {
  case DIGLIM_BELOW_BY_PATH:
    return file->f_path.dentry->d_sb != file->f_inode->i_sb;
  case DIGLIM_BELOW_BY_MODE:
    return mode & FMODE_BACKING;
  }
  return false;
}

/* Not sleepable in any kernel that has it. */
SEC("lsm/mmap_backing_file")
int BPF_PROG(diglim_mmap_below, struct vm_area_struct *vma, struct file *below, struct file *above)
{
  if (!(vma->vm_flags & VM_SHARED) || !(below->f_mode & FMODE_WRITE))
    return 0;
  return note_pinned(below->f_inode);
}

#endif
