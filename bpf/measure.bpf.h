/* SPDX-License-Identifier: GPL-2.0-only */
/* Measurement (decision D9): IMA measures every unknown file before it is used, each image for kexec, and the loader's manifests.
 *
 * The loader's IMA policy (policy/ima_policy.cpp) measures a file, except if a rule matches the label of a profile that no process has. IMA
 * asks the LSMs about that label, by security_audit_rule_match(), and we answer in their place: the label matches if our hook has just
 * found the file known. If this program is gone, the label never matches, and IMA measures everything.
 *
 * Architecture: IMA's hook follows ours in the same call of the same task, about the same file. So our hook leaves its verdict in the
 * task's slot, in place of the one before. The first question takes it out, so it counts once (decision D24).
 * A manifest says what the loader trusts. The loader maps it executable, and nobody else may map an unknown file executable. IMA asks about
 * the rule that would leave it out (no), then about the rule that measures manifests, with a template that no other rule has (yes).
 */
#ifndef DIGLIM_BPF_MEASURE_H
#define DIGLIM_BPF_MEASURE_H

#include "bpf/vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/abi.h"
#include "bpf/event.bpf.h"
#include "bpf/note.bpf.h"
#include "bpf/role.bpf.h"
#include "bpf/settings.bpf.h"

/* What our hook leaves, in the low bits of the address of the task. */
enum steering {
  STEERING_KNOWN = 1,
  STEERING_MANIFEST = 2,       /* not asked yet */
  STEERING_MANIFEST_ASKED = 3, /* asked about the rule that leaves out */
  STEERING_BITS = 3,
};

/* By the task's number. If two tasks share a slot at the same moment, the worst is that a known file is measured. If nothing is measured,
 * the loader gives it one element.
 */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, DIGLIM_STEERED_TASKS);
  __type(key, u32);
  __type(value, u64);
} diglim_steered SEC(".maps");

static __always_inline u64 *steering_slot(void)
{
  u32 index = (u32)bpf_get_current_pid_tgid() & (DIGLIM_STEERED_TASKS - 1);

  return bpf_map_lookup_elem(&diglim_steered, &index);
}

/* What our hook says to IMA's, which comes next. 0: the file is to be measured. */
static __always_inline void steer(u64 state)
{
  u64 *slot;

  if (!diglim_measure)
    return;
  slot = steering_slot();
  if (slot)
    *(volatile u64 *)slot = state ? bpf_get_current_task() | state : 0;
}

/* First the loader opens a new file for write, with O_NOATIME. From then on nobody else can change it. If another file lies in its place,
 * or somebody opened it for write in the instant before, the loader is refused. REQUIRES: called in file_open, for write.
 */
static __always_inline bool is_manifest_opening(struct file *file)
{
  return (file->f_flags & O_NOATIME) && is_loader();
}

static __always_inline int open_manifest(struct file *file, struct inode *inode)
{
  struct inode_note *note = make_note(inode);

  /* A task that opens for write counts as a writer before the hook is called (get_write_access()), here as in before_write(). The mark is
   * set first, so either we see the other task, or the other task sees the mark.
   */
  if (note && __sync_val_compare_and_swap(&note->manifest, 0, 1) == 0 && inode->i_size == 0 &&
      *(volatile int *)&inode->i_writecount.counter == 1)
    return 0;
  return guard(DIGLIM_GUARD_MANIFEST, file->f_path.dentry);
}

/* Then the loader maps that file executable. Is it that mapping? */
static __always_inline bool is_manifest_mapping(struct inode_note *note)
{
  return diglim_measure && note->manifest && is_loader();
}

/* Does the rule have our label? Root may load a profile of that name of its own and enter it, or take that role. So for this label we
 * always answer, and AppArmor or SELinux never do. The rule keeps the label that it was made with.
 */
static __noinline bool has_our_label(void *rule)
{
  static const char wanted[16] = DIGLIM_NEVER;
  struct selinux_audit_rule *selinux = rule;
  struct aa_audit_rule *apparmor = rule;
  char name[16] = {};

  /* A kernel without AppArmor or SELinux lacks its types, too. The verifier passes over code that cannot be reached. */
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

/* Addresses of rules that have our label. IMA's rules live as long as the kernel runs. If a rule of auditd is gone and its memory becomes
 * another rule, the worst is a wrong filter of auditd.
 */
#define OUR_RULES 64
__u64 diglim_our_rules[OUR_RULES];

static __always_inline bool is_our_rule(void *rule)
{
  u64 address = (u64)rule;
  u64 *known = &diglim_our_rules[(address >> 4) & (OUR_RULES - 1)];

  if (*known == address)
    return true;
  if (!has_our_label(rule))
    return false;
  *known = address;
  return true;
}

/* auditd's rules come through here too: theirs get the kernel's own answer. A negative answer means no match to IMA. */
static __always_inline int answer_rule(u32 field, void *rule)
{
  u64 task = bpf_get_current_task();
  u64 *slot;
  u64 state;

  if (field != AUDIT_SUBJ_ROLE || !is_our_rule(rule))
    return 0;
  slot = steering_slot();
  if (!slot)
    return -ENOENT;
  state = *(volatile u64 *)slot;
  if ((state & ~(u64)STEERING_BITS) != task)
    return -ENOENT;
  if ((state & STEERING_BITS) == STEERING_MANIFEST) {
    *(volatile u64 *)slot = task | STEERING_MANIFEST_ASKED;
    return -ENOENT;
  }
  *(volatile u64 *)slot = 0;
  return 1;
}

/* The kernel skips such a program while it is active on the same processor, which preemption makes possible: then the next one answers. The
 * first answer ends the chain, so the others cost nothing.
 */
#define ANSWER_RULE(name)                                             \
  SEC("fmod_ret/security_audit_rule_match")                           \
  int BPF_PROG(name, u32 label, u32 field, u32 operation, void *rule) \
  {                                                                   \
    return answer_rule(field, rule);                                  \
  }
ANSWER_RULE(diglim_rule_1)
ANSWER_RULE(diglim_rule_2)
ANSWER_RULE(diglim_rule_3)
ANSWER_RULE(diglim_rule_4)

#endif
