/* SPDX-License-Identifier: GPL-2.0-only */
/* DIGLIM in the kernel: a file is executed, mapped executable or loaded as code only if a loaded digest list names its content.
 *
 * Architecture: hooks only filter; verdict.bpf.h decides; event.bpf.h tells; measure.bpf.h has IMA measure; guard.bpf.h protects.
 *   bprm_check_security   script and each interpreter before they run                 (decision D5)
 *   bprm_committed_creds  gives the running loader its role                            (decision D8)
 *   mmap_file             file mapped executable; vm_mmap_pgoff (fentry, fexit) marks how long that takes
 *   file_mprotect         mapping made executable later: must have been verified before
 *   file_open             a manifest of the loader; opened for write: what we knew of the file is void, or ETXTBSY while it is mapped executable
 *   path_truncate         the same for truncate(2), which opens nothing
 *   file_truncate         and for O_RDONLY|O_TRUNC, which opens nothing for write (6.2 and later)
 *   kernel_read_file      module, firmware, kexec image from a file
 *   kernel_load_data      the same from memory: nothing to hash, so denied, but for a module whose signature the kernel enforces
 *   ima_calc_file_hash    (fentry) tells a digest computed now from one that IMA collected earlier
 * No hook waits for user space (D1). Nothing fails open: no note, no hash, no generation means denied.
 * One object serves 6.1 and later: types are relocated, there is no #ifdef.
 */
#include "bpf/vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/abi.h"

char LICENSE[] SEC("license") = "GPL";

/* Set by the loader between open and load, fixed from then on. */
const volatile __u32 diglim_mode = DIGLIM_MODE_ENFORCE;
/* 1: IMA may have collected files before we came, so the writes of every file are counted, also of those that nobody runs. */
const volatile __u32 diglim_counts_all;
const volatile __u32 diglim_measure; /* 1: IMA measures what is unknown */
const volatile __u32 diglim_labels;  /* enum diglim_labels */
__u32 diglim_measuring;              /* 1: IMA's policy is in force; the loader sets it, once */

/* 1: the kernel refuses modules without a signature of its own keys, for as long as it runs (loader/module_signatures.h) */
const volatile __u32 diglim_module_signatures;

#include "bpf/event.bpf.h"
#include "bpf/digest_table.bpf.h"
#include "bpf/verdict.bpf.h"
#include "bpf/guard.bpf.h"
#include "bpf/measure.bpf.h"

/* Between our mmap hook and the moment when the mapping can be seen in i_mmap there is an instant in which a writer would find the
 * file unmapped. A counter of the mmaps under way, by hash of the inode's number, closes it. Two inodes that share a counter
 * cost at worst one ETXTBSY for a program file in that instant. Written around vm_mmap_pgoff; 0 at start.
 */
#define IN_FLIGHT_COUNTERS 1024
__u32 in_flight[IN_FLIGHT_COUNTERS];

/* By the inode's number: the verifier lets nobody calculate with its address. */
static __always_inline u32 in_flight_index(u64 inode_number)
{
  return (inode_number * 0x9e3779b97f4a7c15ULL >> 54) & (IN_FLIGHT_COUNTERS - 1);
}

/* Is it refused? Where files are only measured: what IMA does not measure, not yet, or only as what it was before. */
static __always_inline bool is_refused(u8 reason)
{
  if (diglim_mode == DIGLIM_MODE_MEASURE)
    return !diglim_measuring || reason == DIGLIM_REASON_STALE || reason == DIGLIM_REASON_MEMORY || reason == DIGLIM_REASON_NOT_VERIFIED;
  return diglim_mode == DIGLIM_MODE_ENFORCE;
}

/* Reports and says what the hook returns. */
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

  /* What is only measured stands in IMA's log. */
  if (diglim_mode == DIGLIM_MODE_MEASURE && !report.enforced)
    return 0;
  if (decision->algo)
    emit(&report, decision->digest);
  else
    emit(&report, NULL);
  return refuse(report.enforced, -EPERM);
}

/* What the hooks that can sleep have in common. Null: the kernel had no memory for a note, and the decision says so. */
static __always_inline struct inode_note *appraise(struct file *file, struct inode *inode, struct decision *decision)
{
  struct inode_note *note = note_of(inode);

  if (note) {
    decide(file, inode, note, decision);
  } else {
    __builtin_memset(decision, 0, sizeof(*decision));
    decision->reason = DIGLIM_REASON_NO_STORAGE;
  }
  return note;
}

SEC("lsm.s/bprm_check_security")
int BPF_PROG(diglim_exec, struct linux_binprm *bprm)
{
  struct file *file = bprm->file;
  struct decision decision;
  struct diglim_task *task;

  /* Each check of one exec overwrites the wish of the one before: the last file is the one that runs. */
  task = find_task(bpf_get_current_task_btf());
  if (task)
    task->next_role = DIGLIM_ROLE_NONE;
  appraise(file, file->f_inode, &decision);
  steer(file->f_inode, !decision.reason);
  if (decision.reason)
    return deny(DIGLIM_KIND_EXEC, 0, file, &decision);
  /* Root only: nobody else can use bpf(2) for this, and a user with a thousand stopped loaders would fill the map. The wish cannot
   * be read from the cache when the exec succeeds: a list may be withdrawn in between, and another CPU may be storing there.
   */
  if ((decision.flags & DIGLIM_FLAG_LOADER) && (u32)bpf_get_current_uid_gid() == 0) {
    struct task_struct *current = bpf_get_current_task_btf();
    struct diglim_task wish = {.role = task ? task->role : DIGLIM_ROLE_NONE, .next_role = DIGLIM_ROLE_LOADER};
    u32 pid = BPF_CORE_READ(current, tgid);

    wish.start_time = BPF_CORE_READ(current, group_leader, start_boottime);
    bpf_map_update_elem(&diglim_tasks, &pid, &wish, BPF_ANY); /* if there is no room, it runs without rights */
  }
  return 0;
}

SEC("lsm.s/bprm_committed_creds")
int BPF_PROG(diglim_committed_creds, struct linux_binprm *bprm)
{
  struct task_struct *current = bpf_get_current_task_btf();
  struct diglim_task *task = find_task(current);

  if (!task)
    return 0;
  task->role = DIGLIM_ROLE_NONE;
  if (task->next_role == DIGLIM_ROLE_LOADER) {
    /* A tracer could act through it; a seccomp filter with user notification could forge what bpf() answers; shared file
     * system state could change its idea of paths.
     */
    if (bprm->unsafe || current->ptrace || current->seccomp.mode == SECCOMP_MODE_FILTER)
      (void)guard(DIGLIM_GUARD_MARK, NULL); /* this hook cannot deny: the loader runs without rights */
    else
      task->role = DIGLIM_ROLE_LOADER;
  }
  task->next_role = DIGLIM_ROLE_NONE;
  return 0;
}

SEC("lsm.s/mmap_file")
int BPF_PROG(diglim_mmap_file, struct file *file, unsigned long reqprot, unsigned long prot, unsigned long flags)
{
  struct inode_note *note;
  struct decision decision;
  struct inode *inode;
  u64 file_or_null;

  if (!(prot & PROT_EXEC))
    return 0;
  /* An anonymous mapping has no file. The verifier of 6.12 takes `file` for never null and would drop a plain test. */
  bpf_probe_read_kernel(&file_or_null, sizeof(file_or_null), ctx);
  if (!file_or_null)
    return 0;
  inode = file->f_inode;
  note = appraise(file, inode, &decision);
  steer(inode, !decision.reason);
  /* There is nothing to execute in an empty file, but a mapping would keep writers out of it: of lock and log files, for whoever
   * can read them.
   */
  if (!decision.reason && inode->i_size == 0) {
    decision.reason = DIGLIM_REASON_HASH;
    decision.detail = -ENODATA;
  }
  if (!note || decision.reason)
    return deny(DIGLIM_KIND_MMAP, 0, file, &decision);

  /* From here on a writer either sees the mark and the counter of mmap_begin (file_open below), or is seen by the test that follows:
   * each side writes first and reads then, with an atomic operation in between.
   */
  __sync_fetch_and_or(&note->mapped_executable, 1);
  if (has_writer(inode) || *(volatile u64 *)&note->writes != decision.writes) {
    decision.reason = DIGLIM_REASON_WRITER;
    return deny(DIGLIM_KIND_MMAP, 0, file, &decision);
  }
  return 0;
}

static __always_inline void count_in_flight(void *ctx, unsigned long prot, int change)
{
  struct file *file;

  /* The same question before and after: only the task itself changes its personality, and it is in here. */
  if (!(prot & PROT_EXEC) && !(bpf_get_current_task_btf()->personality & READ_IMPLIES_EXEC))
    return;
  bpf_probe_read_kernel(&file, sizeof(file), ctx); /* null for an anonymous mapping */
  if (file)
    __sync_fetch_and_add(&in_flight[in_flight_index(BPF_CORE_READ(file, f_inode, i_ino))], change);
}

SEC("fentry/vm_mmap_pgoff")
int BPF_PROG(diglim_mmap_begin, struct file *file, unsigned long address, unsigned long length, unsigned long prot)
{
  count_in_flight(ctx, prot, 1);
  return 0;
}

SEC("fexit/vm_mmap_pgoff")
int BPF_PROG(diglim_mmap_end, struct file *file, unsigned long address, unsigned long length, unsigned long prot)
{
  count_in_flight(ctx, prot, -1);
  return 0;
}

static __always_inline bool is_still_known(struct inode *inode, struct inode_note *note, void *generation,
                                           const struct diglim_generation *header, struct decision *decision)
{
  /* An empty one is known, perhaps, but must not keep writers out (see mmap_file). */
  return inode->i_size != 0 && !has_writer(inode) && take_cached(inode, note, generation, header, decision) &&
         !decision->reason;
}

SEC("lsm/file_mprotect")
int BPF_PROG(diglim_mprotect, struct vm_area_struct *vma, unsigned long reqprot, unsigned long prot)
{
  struct decision decision = {};
  const struct diglim_generation *header;
  struct inode_note *note;
  struct inode *inode;
  struct file *file;
  void *generation;

  file = vma->vm_file;
  if (!(prot & PROT_EXEC) || (vma->vm_flags & VM_EXEC) || !file)
    return 0;
  inode = file->f_inode;
  if (!inode)
    return 0;
  note = bpf_inode_storage_get(&diglim_inodes, inode, NULL, 0);
  generation = current_generation();
  header = generation ? generation_header(generation) : NULL;
  /* This hook cannot sleep, so it cannot hash: only a verdict that still holds counts. */
  if (note && header) {
    decision.generation = header->number;
    decision.writes = *(volatile u64 *)&note->writes;
    /* Only what is known gets the mark, or whoever can read a data file could lock its writers out. */
    if (is_still_known(inode, note, generation, header, &decision)) {
      __sync_fetch_and_or(&note->mapped_executable, 1); /* the mark first, then the test that counts, as in mmap_file */
      if (is_still_known(inode, note, generation, header, &decision))
        return 0;
    }
  }
  if (!decision.reason)
    decision.reason = DIGLIM_REASON_NOT_VERIFIED;
  return deny(DIGLIM_KIND_MPROTECT, 0, file, &decision);
}

/* Whoever splits or resizes a mapping takes it out of i_mmap for an instant, under the write lock, which no program here can take:
 * so nothing there counts only when the lock is free, and looked at twice.
 */
static __always_inline bool is_mapped(struct inode *inode)
{
  struct address_space *mapping = BPF_CORE_READ(inode, i_mapping);

  if (BPF_CORE_READ(mapping, i_mmap.rb_root.rb_node))
    return true;
  if (bpf_core_field_exists(mapping->i_mmap_rwsem.count.counter) &&
      (BPF_CORE_READ(mapping, i_mmap_rwsem.count.counter) & RWSEM_WRITER_LOCKED))
    return true;
  return BPF_CORE_READ(mapping, i_mmap.rb_root.rb_node) != NULL;
}

/* Somebody is about to write. What we knew is void; while it is mapped executable the answer is the kernel's own for a
 * running program.
 */
static __always_inline int before_write(struct inode *inode, struct vfsmount *mnt, struct dentry *dentry)
{
  struct report report = {
      .kind = DIGLIM_KIND_WRITE, .reason = DIGLIM_REASON_MAPPED, .inode = inode, .mnt = mnt, .dentry = dentry};
  struct inode_note *note;

  if (diglim_counts_all)
    note = note_of(inode);
  else
    note = bpf_inode_storage_get(&diglim_inodes, inode, NULL, 0);
  if (!note) {
    /* A write that is not counted would leave a digest that IMA collected looking true. */
    if (diglim_counts_all && diglim_mode != DIGLIM_MODE_PERMISSIVE)
      return -ENOMEM;
    return 0;
  }
  __sync_fetch_and_add(&note->writes, 1);
  if (note->manifest)
    return guard(DIGLIM_GUARD_MANIFEST, dentry);
  if (!*(volatile u32 *)&note->mapped_executable)
    return 0;
  /* The counter first: it goes down only after the mapping can be seen, so one of the two shows whoever came before us. */
  if (!*(volatile u32 *)&in_flight[in_flight_index(inode->i_ino)] && !is_mapped(inode)) {
    /* We count as a writer already (get_write_access() comes before the hook), so who maps it from now on is refused. Without
     * this, a linker that maps its own output would find it busy.
     */
    *(volatile u32 *)&note->mapped_executable = 0;
    return 0;
  }
  report.enforced = diglim_mode != DIGLIM_MODE_PERMISSIVE;
  emit(&report, NULL);
  return refuse(report.enforced, -ETXTBSY);
}

SEC("lsm.s/file_open")
int BPF_PROG(diglim_file_open, struct file *file)
{
  struct inode *inode = file->f_inode;
  int result;

  if (is_hidden_namespace_file(file))
    return guard(DIGLIM_GUARD_HIDDEN, NULL);
  if (is_manifest_opening(file))
    return open_manifest(file, inode);
  if (!(file->f_mode & FMODE_WRITE))
    return 0;
  if ((inode->i_mode & S_IFMT) != S_IFREG)
    return 0;
  result = guard_switches(file->f_path.dentry);
  if (result)
    return result;
  return before_write(inode, file->f_path.mnt, file->f_path.dentry);
}

SEC("lsm/path_truncate")
int BPF_PROG(diglim_truncate, const struct path *path)
{
  struct dentry *dentry = path->dentry;
  struct inode *inode = dentry->d_inode;

  if (!inode)
    return 0;
  return before_write(inode, path->mnt, dentry);
}

/* From 6.2 on ftruncate() and open(O_TRUNC) ask this in place of path_truncate. Not loaded where the kernel has no such hook. */
SEC("lsm/file_truncate")
int BPF_PROG(diglim_file_truncate, struct file *file)
{
  return before_write(file->f_inode, BPF_CORE_READ(file, f_path.mnt), BPF_CORE_READ(file, f_path.dentry));
}

SEC("lsm.s/kernel_read_file")
int BPF_PROG(diglim_kernel_read, struct file *file, int id, bool contents)
{
  struct decision decision;
  u64 file_or_null;

  if (id <= 0) /* READING_UNKNOWN: nothing that the kernel would run */
    return 0;
  bpf_probe_read_kernel(&file_or_null, sizeof(file_or_null), ctx);
  if (!file_or_null)
    return 0;
  appraise(file, file->f_inode, &decision);
  /* Whoever loads a kernel says with which command line and initial ramdisk (kexec_file_load(2), initrdmem=) it starts: without us. */
  if (id == (int)bpf_core_enum_value(enum kernel_read_file_id, READING_KEXEC_IMAGE) && !decision.reason)
    decision.reason = DIGLIM_REASON_OTHER_KERNEL;
  steer(file->f_inode, !decision.reason);
  if (decision.reason)
    return deny(DIGLIM_KIND_KERNEL_READ, id, file, &decision);
  return 0;
}

/* enum kernel_load_data_id, include/linux/kernel_read_file.h */
#define LOADING_FIRMWARE 1
#define LOADING_MODULE 2
#define LOADING_KEXEC_INITRAMFS 4

SEC("lsm/kernel_load_data")
int BPF_PROG(diglim_kernel_load, int id, bool contents)
{
  struct report report = {.kind = DIGLIM_KIND_KERNEL_LOAD, .reason = DIGLIM_REASON_MEMORY, .detail = id};

  if (id < LOADING_FIRMWARE || id > LOADING_KEXEC_INITRAMFS)
    return 0;
  /* The kernel verifies it next, over the very bytes that it copied from memory. */
  if (id == LOADING_MODULE && diglim_module_signatures)
    return 0;
  report.enforced = is_refused(DIGLIM_REASON_MEMORY);
  emit(&report, NULL);
  return refuse(report.enforced, -EPERM);
}
