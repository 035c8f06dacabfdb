/* SPDX-License-Identifier: GPL-2.0-only */
/* Measurement (decision D9): IMA measures every file that we do not know, before it is used, and nothing else.
 *
 * The loader's IMA policy (policy/ima_policy.cpp) measures everything but what matches a rule with the label of a profile that no
 * process has. IMA asks the LSMs about that label, through security_audit_rule_match(), and we answer in their place: it matches for
 * a file that our hook has just found to be known. If these programs are not there, the label never matches and IMA measures
 * everything. Manifests of what the loader trusts are measured by a rule that works the other way round.
 *
 * Architecture: steer() leaves the verdict for the task; it counts only inside IMA's own hook for that very file:
 *   ima_bprm_check, ima_file_mmap, ima_read_file, ima_post_read_file   (fentry, fexit)
 *   ima_file_check               the loader reads a manifest: file_open has marked it
 *   security_audit_rule_match    (fmod_ret) the answer
 * Loaded only with diglim_measure.
 */
#ifndef DIGLIM_BPF_MEASURE_H
#define DIGLIM_BPF_MEASURE_H

enum steering_state {
  STEERING_KNOWN = 1,    /* our hook found the file known */
  STEERING_MANIFEST = 2, /* the loader opens a manifest */
  STEERING_INSIDE = 3,   /* IMA's hook for it is running */
};

/* What holds for one task between our hook and the end of IMA's. */
struct steering {
  u64 inode;  /* address of the file's inode */
  u64 thread; /* address of the task's task_struct, since its id may come back before it is freed */
  u64 state;  /* enum steering_state */
};

/* By thread. Preallocated, as sleepable programs need it; a task leaves at most one entry behind (when another LSM refuses after us), and
 * that goes with the task. Without room a file is measured, and a manifest refused. The loader makes it small where nothing is measured.
 */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, DIGLIM_STEERED_TASKS);
  __type(key, u64);
  __type(value, struct steering);
} diglim_steered SEC(".maps");

/* 0, or an error where there is no room. */
static __always_inline long put_steering(struct inode *inode, enum steering_state state)
{
  u64 task = bpf_get_current_pid_tgid();
  struct steering steering = {.inode = (u64)inode, .thread = (u64)bpf_get_current_task(), .state = state};

  return bpf_map_update_elem(&diglim_steered, &task, &steering, BPF_ANY);
}

static __always_inline void leave(void)
{
  u64 task = bpf_get_current_pid_tgid();

  bpf_map_delete_elem(&diglim_steered, &task);
}

/* What our hook says to IMA's, which comes next. */
static __always_inline void steer(struct inode *inode, bool known)
{
  if (!diglim_measure)
    return;
  if (known)
    (void)put_steering(inode, STEERING_KNOWN); /* without room it is measured */
  else
    leave();
}

/* The loader opens its manifests, and nothing else, with O_NOATIME. */
static __always_inline bool is_manifest_opening(struct file *file)
{
  return diglim_measure && (file->f_flags & O_NOATIME) && is_loader();
}

/* First it opens a new one to write, which nobody else can change from then on, then it opens that to read, which IMA measures. What
 * would not be measured, or not as the loader wrote it, is refused: another file in its place, one that somebody opened for write
 * in the instant since it was made, one for which there is no room. REQUIRES: called in file_open.
 */
static __always_inline int open_manifest(struct file *file, struct inode *inode)
{
  struct inode_note *note;

  if (!(file->f_mode & FMODE_WRITE)) {
    note = bpf_inode_storage_get(&diglim_inodes, inode, NULL, 0);
    if (note && note->manifest && put_steering(inode, STEERING_MANIFEST) == 0)
      return 0;
    return guard(DIGLIM_GUARD_MANIFEST, file->f_path.dentry);
  }
  /* Who opens for write counts as a writer before the hook is called (get_write_access()), here as in before_write(): with the mark
   * set first, either we see the other, or the other sees the mark.
   */
  note = note_of(inode);
  if (note && __sync_val_compare_and_swap(&note->manifest, 0, 1) == 0 && inode->i_size == 0 &&
      *(volatile int *)&inode->i_writecount.counter == 1)
    return 0;
  return guard(DIGLIM_GUARD_MANIFEST, file->f_path.dentry);
}

static __always_inline void enter(struct inode *inode, enum steering_state from)
{
  u64 task = bpf_get_current_pid_tgid();
  struct steering *steering = bpf_map_lookup_elem(&diglim_steered, &task);

  if (steering && steering->inode == (u64)inode && steering->state == from)
    steering->state = STEERING_INSIDE;
}

SEC("lsm/task_free")
int BPF_PROG(diglim_ima_task_free, struct task_struct *thread)
{
  u64 task = (u64)BPF_CORE_READ(thread, tgid) << 32 | (u32)BPF_CORE_READ(thread, pid);
  struct steering *steering = bpf_map_lookup_elem(&diglim_steered, &task);

  if (steering && steering->thread == (u64)thread)
    bpf_map_delete_elem(&diglim_steered, &task);
  return 0;
}

SEC("fentry/ima_bprm_check")
int BPF_PROG(diglim_ima_exec, struct linux_binprm *bprm)
{
  enter(BPF_CORE_READ(bprm, file, f_inode), STEERING_KNOWN);
  return 0;
}

SEC("fexit/ima_bprm_check")
int BPF_PROG(diglim_ima_exec_end, struct linux_binprm *bprm)
{
  leave();
  return 0;
}

SEC("fentry/ima_file_mmap")
int BPF_PROG(diglim_ima_mmap, struct file *file, unsigned long reqprot, unsigned long prot)
{
  if (prot & PROT_EXEC)
    enter(BPF_CORE_READ(file, f_inode), STEERING_KNOWN); /* anonymous: 0, which nobody has */
  return 0;
}

SEC("fexit/ima_file_mmap")
int BPF_PROG(diglim_ima_mmap_end, struct file *file, unsigned long reqprot, unsigned long prot)
{
  if (prot & PROT_EXEC)
    leave();
  return 0;
}

/* With `contents` IMA only looks at what was read, later: ima_post_read_file(). */
SEC("fentry/ima_read_file")
int BPF_PROG(diglim_ima_read, struct file *file, int id, bool contents)
{
  if (!contents)
    enter(BPF_CORE_READ(file, f_inode), STEERING_KNOWN);
  return 0;
}

SEC("fexit/ima_read_file")
int BPF_PROG(diglim_ima_read_end, struct file *file, int id, bool contents)
{
  if (!contents)
    leave();
  return 0;
}

SEC("fentry/ima_post_read_file")
int BPF_PROG(diglim_ima_post, struct file *file)
{
  enter(BPF_CORE_READ(file, f_inode), STEERING_KNOWN);
  return 0;
}

SEC("fexit/ima_post_read_file")
int BPF_PROG(diglim_ima_post_end, struct file *file)
{
  leave();
  return 0;
}

SEC("fentry/ima_file_check")
int BPF_PROG(diglim_ima_open, struct file *file)
{
  if (BPF_CORE_READ(file, f_flags) & O_NOATIME)
    enter(BPF_CORE_READ(file, f_inode), STEERING_MANIFEST);
  return 0;
}

SEC("fexit/ima_file_check")
int BPF_PROG(diglim_ima_open_end, struct file *file)
{
  if (BPF_CORE_READ(file, f_flags) & O_NOATIME)
    leave();
  return 0;
}

/* Is it the rule with our label? Root may load a profile of that name of its own, and enter it, or take that role: so for this label it
 * is always we who answer, never AppArmor or SELinux. The rule keeps the label that it was made with.
 */
static __always_inline bool is_our_rule(void *rule)
{
  static const char wanted[16] = DIGLIM_NEVER;
  struct selinux_audit_rule *selinux = rule;
  struct aa_audit_rule *apparmor = rule;
  char name[16] = {};

  /* A kernel without the one or the other lacks its types, too; what cannot be reached is not verified. */
  if (diglim_labels == DIGLIM_LABELS_SELINUX)
    return BPF_CORE_READ(selinux, au_ctxt.role) == DIGLIM_NEVER_ROLE_VALUE;
  if (diglim_labels != DIGLIM_LABELS_APPARMOR)
    return false;
  bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(apparmor, label, vec[0], base.hname));
#pragma unroll
  for (int i = 0; i < (int)sizeof(name); i++) {
    if (name[i] != wanted[i])
      return false;
  }
  return true;
}

/* auditd's rules come through here too: theirs get the kernel's own answer. A negative answer means no match to IMA. */
SEC("fmod_ret/security_audit_rule_match")
int BPF_PROG(diglim_rule, u32 label, u32 field, u32 operation, void *rule)
{
  u64 task = bpf_get_current_pid_tgid();
  struct steering *steering;

  if (field != AUDIT_SUBJ_ROLE || !is_our_rule(rule))
    return 0;
  steering = bpf_map_lookup_elem(&diglim_steered, &task);
  if (steering && steering->state == STEERING_INSIDE)
    return 1;
  return -ENOENT;
}

#endif
