/* SPDX-License-Identifier: GPL-2.0-only */
/* DIGLIM in the kernel: a file is executed, mapped executable or loaded as code only if a loaded digest list names its content.
 *
 * Architecture: the hooks on files stand here, and only filter.
 *   settings, abi          what the loader says
 *   note                   what is remembered of an inode; was_known() is the common way
 *   decide                 the one function that decides, with content (file systems), storage, hash, digest_table
 *   write, mapping         what makes a verdict void, and keeps code from being changed while it is mapped
 *   role, guard, hold      DIGLIM itself: who is the loader, bpf(2) and switches, the place of the links
 *   measure                IMA measures what is unknown
 *   event                  what was denied, for the log
 * The hooks:
 *   bprm_check_security    script and each interpreter before they run (decision D5)
 *   mmap_file              mapped executable: decided; mapped shared and writable: noted
 *   file_mprotect          made executable later: its verdict must hold
 *   file_open, inode_setattr   opened for write or cut: what we knew is void, or ETXTBSY while it is mapped executable
 *   kernel_read_file       module, firmware, kexec image from a file
 *   kernel_load_data       the same from memory: nothing to hash, so denied, but for a module whose signature the kernel enforces
 * No hook waits for user space (decision D1). All failures deny: no note, no hash, or no generation.
 * One object serves 6.1 and later: types are relocated, there is no #ifdef. The common ways read memory by plain loads through typed
 * pointers: bpf_probe_read_kernel() costs some 80 instructions each time. The rare ways stand in functions of their own.
 */
#include "bpf/vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/abi.h"
#include "bpf/decide.bpf.h"
#include "bpf/event.bpf.h"
#include "bpf/guard.bpf.h"
#include "bpf/mapping.bpf.h"
#include "bpf/measure.bpf.h"
#include "bpf/note.bpf.h"
#include "bpf/role.bpf.h"
#include "bpf/settings.bpf.h"
#include "bpf/write.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* Is it refused? Enforce mode refuses for every reason, permissive mode for none. Measure mode lets an unknown file run, since IMA measures
 * it first. It refuses in two cases: IMA's policy is not in force yet, or IMA cannot measure the content that would run (a stale digest,
 * content that is not from a file, a mapping made executable later).
 */
static __always_inline bool is_refused(u8 reason)
{
  if (diglim_mode != DIGLIM_MODE_MEASURE)
    return diglim_mode == DIGLIM_MODE_ENFORCE;
  switch (reason) {
  case DIGLIM_REASON_STALE:
  case DIGLIM_REASON_MEMORY:
  case DIGLIM_REASON_NOT_VERIFIED:
    return true;
  }
  return !diglim_measuring;
}

/* Reports the denial. The result is what the hook returns. */
static __always_inline int deny(u8 kind, s32 detail, struct file *file, const struct decision *decision)
{
  struct report report = {
      .kind = kind,
      .reason = decision->reason,
      .enforced = is_refused(decision->reason),
      .detail = decision->detail ? decision->detail : detail,
      .algo = decision->algo,
      .generation = decision->generation,
      .inode = BPF_CORE_READ(file, f_inode),
      .mnt = BPF_CORE_READ(file, f_path.mnt),
      .dentry = BPF_CORE_READ(file, f_path.dentry),
  };

  /* A file that is only measured has its line in IMA's log. */
  if (diglim_mode == DIGLIM_MODE_MEASURE && !report.enforced) {
    count(kind, DIGLIM_OUTCOME_PASSED);
    return 0;
  }
  if (decision->algo)
    emit(&report, decision->digest);
  else
    emit(&report, NULL);
  return refuse(report.enforced, -EPERM);
}

/* All hooks that can sleep decide by this. Null: the kernel had no memory for a note, and the decision says so. */
static __always_inline struct inode_note *appraise(struct file *file, struct inode *inode, struct decision *decision)
{
  struct inode_note *note = make_note(inode);

  if (note) {
    decide(file, inode, note, decision);
  } else {
    __builtin_memset(decision, 0, sizeof(*decision));
    decision->reason = DIGLIM_REASON_NO_STORAGE;
  }
  return note;
}

static __noinline int exec_slowly(struct linux_binprm *bprm)
{
  struct file *file = bprm->file;
  struct decision decision;

  appraise(file, file->f_inode, &decision);
  if (decision.reason) {
    steer(0);
    return deny(DIGLIM_KIND_EXEC, 0, file, &decision);
  }
  count(DIGLIM_KIND_EXEC, DIGLIM_OUTCOME_KNOWN);
  steer(STEERING_KNOWN);
  if (decision.flags & DIGLIM_FLAG_LOADER)
    wish_for_role(bprm);
  return 0;
}

SEC("lsm.s/bprm_check_security")
int BPF_PROG(diglim_exec, struct linux_binprm *bprm)
{
  struct inode *inode = bprm->file->f_inode;
  struct inode_note *note = find_note(inode);

  forget_wish();
  if (!note || !was_known(note, count_of_writes(note)) || has_writer(inode) || (note->flags & DIGLIM_FLAG_LOADER))
    return exec_slowly(bprm);
  steer(STEERING_KNOWN);
  return 0;
}

/* May a known file be mapped executable now? 0, or why not: enum diglim_reason. */
static __always_inline u8 why_not_mapped(struct inode *inode, struct inode_note *note, u64 writes)
{
  if (!*(volatile u32 *)&note->mapped_executable) /* all who map libc share this note */
    *(volatile u32 *)&note->mapped_executable = MAPPED;
  /* From here on either a writer sees the mark and the mapping under way (before_write), or the test that follows sees the writer: each
   * side writes first, then reads, with an atomic operation in between.
   */
  if (!announce_mapping(inode))
    __sync_lock_test_and_set(&note->mapped_executable, MAPPED_FOR_EVER);
  if (has_writer(inode) || count_of_writes(note) != writes)
    return DIGLIM_REASON_WRITER;
  return 0;
}

static __noinline int map_slowly(struct file *file, struct inode *inode)
{
  struct inode_note *note;
  struct decision decision;

  note = appraise(file, inode, &decision);
  if (note && decision.reason == DIGLIM_REASON_UNKNOWN && is_manifest_mapping(note)) {
    steer(STEERING_MANIFEST);
    return 0;
  }
  /* An empty file has nothing to execute, but a mapping would keep its writers out. Anybody who can read a lock or log file could do
   * that.
   */
  if (!decision.reason && decision.empty) {
    decision.reason = DIGLIM_REASON_HASH;
    decision.detail = -ENODATA;
  }
  if (note && !decision.reason)
    decision.reason = why_not_mapped(inode, note, decision.writes);
  if (decision.reason) {
    steer(0);
    return deny(DIGLIM_KIND_MMAP, 0, file, &decision);
  }
  count(DIGLIM_KIND_MMAP, DIGLIM_OUTCOME_KNOWN);
  steer(STEERING_KNOWN);
  return 0;
}

static __always_inline int map_executable(struct file *file)
{
  struct inode *inode = file->f_inode;
  struct inode_note *note = find_note(inode);
  u64 writes;

  if (!note)
    return map_slowly(file, inode);
  writes = count_of_writes(note);
  if (!was_known(note, writes) || why_not_mapped(inode, note, writes))
    return map_slowly(file, inode);
  steer(STEERING_KNOWN);
  return 0;
}

/* Is the first argument of a hook a file, and not null? Up to 6.12 the verifier takes it for never null, and would drop a plain test. From
 * 6.13 on it wants the plain test. It learns nothing from a comparison of half a pointer with a number other than 0.
 */
static __always_inline bool is_there(unsigned long long *ctx, struct file *file)
{
  u32 one = 1;
  u64 whole;

  barrier_var(one);
  if ((u32)(u64)file < one) {
    barrier(); /* or the compiler does the next for every file */
    whole = 0;
    bpf_get_func_arg(ctx, 0, &whole);
    if (!whole)
      return false;
  }
  return file;
}

static __noinline int map_file(unsigned long long *ctx, unsigned long prot, unsigned long flags)
{
  struct file *file = (void *)ctx[0];

  if (!is_there(ctx, file))
    return 0;
  /* Also for reading: mprotect(2) makes it writable later. */
  if ((flags & MAP_SHARED) && (file->f_mode & FMODE_WRITE)) {
    int result = note_pinned(file->f_inode);

    if (result)
      return result;
  }
  if (prot & PROT_EXEC)
    return map_executable(file);
  return 0;
}

/* Asked at every mapping, also an anonymous one: the common way has only this test. */
SEC("lsm.s/mmap_file")
int diglim_mmap_file(unsigned long long *ctx)
{
  unsigned long prot = ctx[2];
  unsigned long flags = ctx[3];

  if (!(prot & PROT_EXEC) && !(flags & MAP_SHARED))
    return 0;
  return map_file(ctx, prot, flags);
}

/* This hook cannot sleep, so it cannot hash: only a verdict that still holds counts. The verdict is about the file's content. If the
 * process made a private copy of a page, that copy is memory of its own, which DIGLIM does not restrict (decision D23).
 */
static __noinline int mprotect_slowly(struct file *file, struct inode *inode)
{
  struct decision decision = {};
  const struct diglim_generation *header = NULL;
  struct inode_note *note = find_note(inode);
  void *generation = take_generation(&header, &decision);

  decision.reason = DIGLIM_REASON_NOT_VERIFIED;
  if (note && generation) {
    decision.generation = header->number;
    decision.writes = count_of_writes(note);
    if (!has_writer(inode) && take_cached(note, generation, header, &decision)) {
      /* Only a known file gets the mark. Otherwise anybody who can read a data file could lock its writers out. */
      if (decision.empty)
        decision.reason = DIGLIM_REASON_NOT_VERIFIED;
      else if (!decision.reason)
        decision.reason = why_not_mapped(inode, note, decision.writes);
    }
  }
  if (!decision.reason) {
    count(DIGLIM_KIND_MPROTECT, DIGLIM_OUTCOME_KNOWN);
    return 0;
  }
  return deny(DIGLIM_KIND_MPROTECT, 0, file, &decision);
}

SEC("lsm/file_mprotect")
int BPF_PROG(diglim_mprotect, struct vm_area_struct *vma, unsigned long reqprot, unsigned long prot)
{
  struct file *file = vma->vm_file;
  struct inode *inode;

  if (!(prot & PROT_EXEC) || (vma->vm_flags & VM_EXEC) || !file)
    return 0;
  inode = file->f_inode;
  if (!inode)
    return 0;
  return mprotect_slowly(file, inode);
}

static __noinline int open_rarely(struct file *file)
{
  struct inode *inode = file->f_inode;
  struct dentry *dentry = file->f_path.dentry;
  u32 magic = inode->i_sb->s_magic;
  u32 look_at = what_to_look_at();
  int result;

  if (has_switches(magic)) {
    result = guard_switch(dentry, magic);
    if (result)
      return result;
  }
  if ((look_at & DIGLIM_WRITES_MANIFEST) && is_manifest_opening(file))
    return open_manifest(file, inode);
  if (is_below(file) || ((look_at & DIGLIM_WRITES_SWAP) && is_swapon(bpf_get_current_task_btf()))) {
    result = note_pinned(inode);
    if (result)
      return result;
  }
  return before_write(inode, file, dentry);
}

static __noinline int open_for_write(struct file *file, u32 mode)
{
  struct inode *inode = file->f_inode;
  struct inode_note *note;

  /* The inode is read again afterwards: a register for it would have to be saved in each opening. */
  if (what_to_look_at() || (mode & FMODE_NOACCOUNT) || has_switches(inode->i_sb->s_magic))
    return open_rarely(file);
  note = find_note(inode);
  if (!note)
    return 0;
  return write_noted(file->f_inode, note, file, file->f_path.dentry);
}

/* Asked at every open: the common way has only loads. */
SEC("lsm.s/file_open")
int BPF_PROG(diglim_file_open, struct file *file)
{
  u32 mode = file->f_mode;

  if (!(mode & FMODE_WRITE))
    return 0;
  return open_for_write(file, mode);
}

/* The same where the kernel gives out files of namespaces (hold.bpf.h). The loader loads one of the two. */
SEC("lsm.s/file_open")
int BPF_PROG(diglim_file_open_nsfs, struct file *file)
{
  u32 mode = file->f_mode;

  if (is_hidden_namespace_file(file))
    return guard(DIGLIM_GUARD_HIDDEN, NULL);
  if (!(mode & FMODE_WRITE))
    return 0;
  return open_for_write(file, mode);
}

/* truncate(2), ftruncate(2) and O_TRUNC, through whatever file system on top: all end in notify_change() (decision D14). */
static __noinline int before_cut(struct dentry *dentry, struct iattr *attributes)
{
  struct inode *inode = dentry->d_inode;

  if (!(attributes->ia_valid & ATTR_SIZE) || !inode)
    return 0;
  return before_write(inode, NULL, dentry);
}

/* The loader loads the one that fits the kernel. */
SEC("lsm.s/inode_setattr")
int BPF_PROG(diglim_setattr_6_1, struct dentry *dentry, struct iattr *attributes)
{
  return before_cut(dentry, attributes);
}

SEC("lsm.s/inode_setattr")
int BPF_PROG(diglim_setattr, struct mnt_idmap *idmap, struct dentry *dentry, struct iattr *attributes)
{
  return before_cut(dentry, attributes);
}

SEC("lsm.s/kernel_read_file")
int BPF_PROG(diglim_kernel_read, struct file *file, int id, bool contents)
{
  struct decision decision;

  if (id <= 0 || !is_there(ctx, file)) /* READING_UNKNOWN: nothing that the kernel would run */
    return 0;
  appraise(file, file->f_inode, &decision);
  /* The caller chooses the new kernel's command line and initial ramdisk (kexec_file_load(2), initrdmem=), and can leave DIGLIM out. */
  if (id == (int)bpf_core_enum_value(enum kernel_read_file_id, READING_KEXEC_IMAGE) && !decision.reason)
    decision.reason = DIGLIM_REASON_OTHER_KERNEL;
  if (decision.reason) {
    steer(0);
    return deny(DIGLIM_KIND_KERNEL_READ, id, file, &decision);
  }
  count(DIGLIM_KIND_KERNEL_READ, DIGLIM_OUTCOME_KNOWN);
  steer(STEERING_KNOWN);
  return 0;
}

/* enum kernel_load_data_id, include/linux/kernel_read_file.h */
#define LOADING_UNKNOWN 0
#define LOADING_MODULE 2
#define LOADING_POLICY 5
#define LOADING_X509_CERTIFICATE 6

SEC("lsm/kernel_load_data")
int BPF_PROG(diglim_kernel_load, int id, bool contents)
{
  struct report report = {.kind = DIGLIM_KIND_KERNEL_LOAD, .reason = DIGLIM_REASON_MEMORY, .detail = id};

  switch (id) {
  case LOADING_UNKNOWN:
  case LOADING_POLICY:
  case LOADING_X509_CERTIFICATE:
    return 0; /* nothing that the kernel would run */
  case LOADING_MODULE:
    /* The kernel verifies it next, over the very bytes that it copied from memory. */
    if (diglim_module_signatures)
      return 0;
  }
  report.enforced = is_refused(DIGLIM_REASON_MEMORY);
  emit(&report, NULL);
  return refuse(report.enforced, -EPERM);
}
