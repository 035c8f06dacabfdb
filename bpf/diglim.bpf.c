/* SPDX-License-Identifier: GPL-2.0-only */
/* DIGLIM in the kernel: a file is executed, mapped executable or loaded as code only if a loaded digest list names its content.
 *
 * Architecture: hooks only filter; verdict.bpf.h decides; event.bpf.h tells; guard.bpf.h protects.
 *   bprm_check_security   script and each interpreter before they run                 (decision D5)
 *   bprm_committed_creds  gives the running loader its role                            (decision D8)
 *   task_free             forgets the roles of what ended
 *   mmap_file             file mapped executable; fexit of vm_mmap_pgoff ends the instant in between
 *   file_mprotect         mapping made executable later: must have been verified before
 *   file_open             opened for write: what we knew of the file is void, or ETXTBSY while it is mapped executable
 *   path_truncate         the same for truncate(2), which opens nothing
 *   file_truncate         and for O_RDONLY|O_TRUNC, which opens nothing for write (6.2 and later)
 *   kernel_read_file      module, firmware, kexec image from a file
 *   kernel_load_data      the same from memory: nothing to hash, so denied
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
const volatile __u32 diglim_pins_device; /* kernel dev_t of the bpffs with our pins; 0: there is none */
const volatile __u64 diglim_pins_mount;  /* address of its struct mount; 0: there is none */

#include "bpf/event.bpf.h"
#include "bpf/digest_table.bpf.h"
#include "bpf/verdict.bpf.h"
#include "bpf/guard.bpf.h"

/* Between our mmap hook and the moment when the mapping can be seen in i_mmap there is an instant in which a writer would find the
 * file unmapped. A counter of such mmaps, by hash of the inode's number, closes it. Two inodes that share a counter
 * cost at worst one ETXTBSY for a program file in that instant. Written by mmap_file and vm_mmap_pgoff; 0 at start.
 */
#define IN_FLIGHT_COUNTERS 1024
__u32 in_flight[IN_FLIGHT_COUNTERS];

/* Which counter the mmap holds that a thread (pid_tgid) is in. Entries live for the length of one system call. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1 << 14);
  __type(key, u64);
  __type(value, u32);
} diglim_mmaps SEC(".maps");

static __always_inline u32 in_flight_index(struct inode *inode)
{
  /* By number: the verifier lets nobody calculate with the address. */
  return (BPF_CORE_READ(inode, i_ino) * 0x9e3779b97f4a7c15ULL >> 54) & (IN_FLIGHT_COUNTERS - 1);
}

/* Reports and says what the hook returns. */
static __always_inline int deny(u8 kind, s32 detail, struct file *file, const struct decision *decision)
{
  struct report report = {
      .kind = kind,
      .reason = decision->reason,
      .detail = decision->detail ? decision->detail : detail,
      .algo = decision->algo,
      .generation = decision->generation,
      .inode = BPF_CORE_READ(file, f_inode),
      .mnt = BPF_CORE_READ(file, f_path.mnt),
      .dentry = BPF_CORE_READ(file, f_path.dentry),
  };

  if (decision->algo)
    emit(&report, decision->digest);
  else
    emit(&report, NULL);
  if (diglim_mode == DIGLIM_MODE_ENFORCE)
    return -EPERM;
  return 0;
}

static __always_inline struct inode_note *note_of(struct inode *inode)
{
  struct inode_note *note = bpf_inode_storage_get(&diglim_inodes, inode, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

  /* Of two that create it at once one gets nothing; the second time it finds the other's. Once for the inode's storage, once
   * for our element of it.
   */
  if (!note)
    note = bpf_inode_storage_get(&diglim_inodes, inode, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
  if (!note)
    note = bpf_inode_storage_get(&diglim_inodes, inode, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
  return note;
}

SEC("lsm.s/bprm_check_security")
int BPF_PROG(diglim_exec, struct linux_binprm *bprm)
{
  struct diglim_task *task;
  struct file *file = bprm->file;
  struct inode_note *note;
  struct decision decision;
  struct inode *inode;

  /* Each check of one exec overwrites the wish of the one before: the last file is the one that runs. */
  task = find_task(bpf_get_current_task_btf());
  if (task)
    task->next_role = DIGLIM_ROLE_NONE;
  inode = file->f_inode;
  note = note_of(inode);
  if (!note) {
    __builtin_memset(&decision, 0, sizeof(decision));
    decision.reason = DIGLIM_REASON_NO_STORAGE;
    return deny(DIGLIM_KIND_EXEC, 0, file, &decision);
  }
  decide(file, inode, note, &decision);
  if (decision.reason)
    return deny(DIGLIM_KIND_EXEC, 0, file, &decision);
  if (decision.flags & DIGLIM_FLAG_LOADER) {
    struct diglim_task wish = {.role = task ? task->role : DIGLIM_ROLE_NONE, .next_role = DIGLIM_ROLE_LOADER};
    struct diglim_task_key key;

    task_key(bpf_get_current_task_btf(), &key);
    bpf_map_update_elem(&diglim_tasks, &key, &wish, BPF_ANY); /* if there is no room, it runs without rights */
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
    /* A tracer could act through it; a seccomp filter with user notification could forge what bpf() answers; shared
     * file system state could change its idea of paths.
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
  u64 thread = bpf_get_current_pid_tgid();
  struct inode_note *note;
  struct decision decision;
  struct inode *inode;
  u64 file_or_null;
  u32 index;
  u32 held;

  if (!(prot & PROT_EXEC))
    return 0;
  /* An anonymous mapping has no file. The verifier of 6.12 takes `file` for never null and would drop a plain test. */
  bpf_probe_read_kernel(&file_or_null, sizeof(file_or_null), ctx);
  if (!file_or_null)
    return 0;
  inode = file->f_inode;
  note = note_of(inode);
  if (!note) {
    __builtin_memset(&decision, 0, sizeof(decision));
    decision.reason = DIGLIM_REASON_NO_STORAGE;
    return deny(DIGLIM_KIND_MMAP, 0, file, &decision);
  }
  decide(file, inode, note, &decision);
  if (decision.reason)
    return deny(DIGLIM_KIND_MMAP, 0, file, &decision);

  /* From here on a writer either sees the counter and the mark (file_open below), or is seen by the test that follows: each side
   * writes first and reads then, with atomic operations in between.
   */
  index = in_flight_index(inode);
  /* Sealed memory has no writers to keep away. And remap_file_pages(), which asks this hook but is not the call that ends an
   * mmap, comes this far with nothing else, since it wants a descriptor that can write: it would leave the counter up.
   */
  if (BPF_CORE_READ(inode, i_sb, s_flags) & SB_KERNMOUNT)
    return 0;
  *(volatile u32 *)&note->mapped_executable = 1;
  __sync_fetch_and_add(&in_flight[index], 1);
  if (has_writer(inode) || *(volatile u64 *)&note->writes != decision.writes) {
    __sync_fetch_and_add(&in_flight[index], -1);
    decision.reason = DIGLIM_REASON_WRITER;
    return deny(DIGLIM_KIND_MMAP, 0, file, &decision);
  }
  held = index;
  if (bpf_map_update_elem(&diglim_mmaps, &thread, &held, BPF_ANY)) {
    /* The verifier forgets what a variable holds once a helper had its address. */
    index = held & (IN_FLIGHT_COUNTERS - 1);
    __sync_fetch_and_add(&in_flight[index], -1);
    decision.reason = DIGLIM_REASON_NO_STORAGE;
    return deny(DIGLIM_KIND_MMAP, 0, file, &decision);
  }
  return 0;
}

SEC("fexit/vm_mmap_pgoff")
int BPF_PROG(diglim_mmap_done)
{
  u64 thread = bpf_get_current_pid_tgid();
  u32 *held = bpf_map_lookup_elem(&diglim_mmaps, &thread);
  u32 index;

  if (!held)
    return 0;
  index = *held & (IN_FLIGHT_COUNTERS - 1);
  bpf_map_delete_elem(&diglim_mmaps, &thread);
  __sync_fetch_and_add(&in_flight[index], -1);
  return 0;
}

static __always_inline bool is_still_known(struct inode *inode, struct inode_note *note,
                                           const struct diglim_generation *header, struct decision *decision)
{
  return !has_writer(inode) && take_cached(inode, note, header, decision) && !decision->reason;
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
    /* Only what is known gets the mark, or whoever can read a data file could lock its writers out. */
    if (is_still_known(inode, note, header, &decision)) {
      *(volatile u32 *)&note->mapped_executable = 1;
      __sync_fetch_and_add(&diglim_counters.cached, 1); /* a barrier too: the mark first, then the test that counts */
      if (is_still_known(inode, note, header, &decision))
        return 0;
    }
  }
  if (!decision.reason)
    decision.reason = DIGLIM_REASON_NOT_VERIFIED;
  return deny(DIGLIM_KIND_MPROTECT, 0, file, &decision);
}

/* Somebody is about to write. What we knew is void; while it is mapped executable the answer is the kernel's own for a
 * running program.
 */
static __always_inline int before_write(struct inode *inode, struct vfsmount *mnt, struct dentry *dentry)
{
  struct report report = {
      .kind = DIGLIM_KIND_WRITE, .reason = DIGLIM_REASON_MAPPED, .inode = inode, .mnt = mnt, .dentry = dentry};
  struct inode_note *note = bpf_inode_storage_get(&diglim_inodes, inode, NULL, 0);

  if (!note)
    return 0;
  __sync_fetch_and_add(&note->writes, 1);
  if (!*(volatile u32 *)&note->mapped_executable)
    return 0;
  /* The counter first: it goes down only after the mapping can be seen, so one of the two shows whoever came before us. */
  if (!*(volatile u32 *)&in_flight[in_flight_index(inode)] &&
      !BPF_CORE_READ(inode, i_mapping, i_mmap.rb_root.rb_node)) {
    /* We count as a writer already (get_write_access() comes before the hook), so who maps it from now on is refused. Without
     * this, a linker that maps its own output would find it busy.
     */
    *(volatile u32 *)&note->mapped_executable = 0;
    return 0;
  }
  emit(&report, NULL);
  if (diglim_mode == DIGLIM_MODE_ENFORCE)
    return -ETXTBSY;
  return 0;
}

SEC("lsm.s/file_open")
int BPF_PROG(diglim_file_open, struct file *file)
{
  struct inode *inode = file->f_inode;
  int result;

  if (!(file->f_mode & FMODE_WRITE))
    return 0;
  if ((inode->i_mode & S_IFMT) != S_IFREG)
    return 0;
  result = guard_ftrace(BPF_CORE_READ(file, f_path.dentry));
  if (result)
    return result;
  return before_write(inode, BPF_CORE_READ(file, f_path.mnt), BPF_CORE_READ(file, f_path.dentry));
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
  struct inode_note *note;
  struct inode *inode;
  u64 file_or_null;

  if (id <= 0) /* READING_UNKNOWN: nothing that the kernel would run */
    return 0;
  bpf_probe_read_kernel(&file_or_null, sizeof(file_or_null), ctx);
  if (!file_or_null)
    return 0;
  inode = file->f_inode;
  note = note_of(inode);
  if (!note) {
    __builtin_memset(&decision, 0, sizeof(decision));
    decision.reason = DIGLIM_REASON_NO_STORAGE;
    return deny(DIGLIM_KIND_KERNEL_READ, id, file, &decision);
  }
  decide(file, inode, note, &decision);
  if (!decision.reason)
    return 0;
  return deny(DIGLIM_KIND_KERNEL_READ, id, file, &decision);
}

/* enum kernel_load_data_id, include/linux/kernel_read_file.h */
#define LOADING_FIRMWARE 1
#define LOADING_KEXEC_INITRAMFS 4

SEC("lsm/kernel_load_data")
int BPF_PROG(diglim_kernel_load, int id, bool contents)
{
  struct report report = {.kind = DIGLIM_KIND_KERNEL_LOAD, .reason = DIGLIM_REASON_MEMORY, .detail = id};

  if (id < LOADING_FIRMWARE || id > LOADING_KEXEC_INITRAMFS)
    return 0;
  emit(&report, NULL);
  if (diglim_mode == DIGLIM_MODE_ENFORCE)
    return -EPERM;
  return 0;
}
