/* SPDX-License-Identifier: GPL-2.0-only */
/* When the main programs are gone, nothing runs.
 *
 * Their links are held by the pins and by the keeper. Root can lose both: the pins by a race against umount, which the kernel asks
 * about before it locks the mounts, and the keeper by signals that no hook sees. These programs hang on the root cgroup by
 * BPF_PROG_ATTACH: no link, no descriptor, no process and no mount holds them; the root cgroup is never removed, and detaching
 * takes a descriptor of the program, which the guards refuse. They cannot sleep, so they cannot hash. But they can see whether
 * each main program is still in the list of the kernel's trampoline for its hook. Unlinking takes it off that list before the code
 * of the trampoline changes, so whoever comes through a trampoline without our main program finds it missing here.
 *
 * Architecture: at most ten LSM hooks can have programs of cgroups (CGROUP_LSM_NUM in the kernel).
 *   bprm_check_security, mmap_file, file_mprotect, kernel_read_file, kernel_load_data
 *                          denied if main's own is missing, or one on which its decision rests: who truncates, and what is being
 *                          mapped. (Who opens for write cannot be missing, see file_open.)
 *   file_open              for write: denied if main's is missing, or else code that is mapped could be changed
 *   bpf, bpf_map, bpf_prog denied if any is missing: no way to attach, detach or rewrite anything in the time of falling apart
 *   cgroup/sysctl          kernel.ftrace_enabled, which would disconnect these, too, is never written
 * Links go one after the other, so each hook looks at all that it relies on. Nothing is reported: with the keeper gone there is
 * nobody to report to. In permissive mode none of this is loaded.
 */
#include "bpf/vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/abi.h"

char LICENSE[] SEC("license") = "GPL";

#define DENY 0 /* programs of cgroups: the kernel turns it into -EPERM */
#define ALLOW 1

/* Written once by the loader at boot, when all is attached, then frozen. Until then `all` is 0 and nothing is denied. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __uint(map_flags, BPF_F_RDONLY_PROG);
  __type(key, u32);
  __type(value, struct diglim_held);
} diglim_held SEC(".maps");

/* How far to look for our program in the list of a trampoline; newer ones stand before it. */
#define MAX_PROGRAMS 8

static __always_inline bool is_attached(const struct diglim_held_link *held)
{
  struct hlist_node *node = NULL;

  if (!held->list)
    return true;
  bpf_probe_read_kernel(&node, sizeof(node), (void *)held->list);
  for (int i = 0; i < MAX_PROGRAMS && node; i++) {
    if ((u64)node == held->node) {
      struct bpf_tramp_link *link = (void *)node - bpf_core_field_offset(struct bpf_tramp_link, tramp_hlist);

      return !held->program || (u64)BPF_CORE_READ(link, link.prog) == held->program;
    }
    bpf_probe_read_kernel(&node, sizeof(node), &node->next);
  }
  return false;
}

static __always_inline const struct diglim_held *held_table(void)
{
  u32 zero = 0;

  return bpf_map_lookup_elem(&diglim_held, &zero);
}

/* Is the program attached, and what every verdict rests on? */
static __always_inline bool has(const struct diglim_held *table, enum diglim_held_place place)
{
  return is_attached(&table->links[place]) && is_attached(&table->links[DIGLIM_HELD_TRUNCATE]) &&
         is_attached(&table->links[DIGLIM_HELD_FILE_TRUNCATE]);
}

static __always_inline int answer(enum diglim_held_place place)
{
  const struct diglim_held *table = held_table();

  return table && has(table, place) ? ALLOW : DENY;
}

static __always_inline int answer_all(void)
{
  const struct diglim_held *table = held_table();

  if (!table)
    return DENY;
  for (u32 i = 0; i < DIGLIM_HELD_MAX && i < table->all; i++) {
    if (!is_attached(&table->links[i]))
      return DENY;
  }
  return ALLOW;
}

SEC("lsm_cgroup/bprm_check_security")
int BPF_PROG(diglim_hold_exec, struct linux_binprm *bprm)
{
  return answer(DIGLIM_HELD_EXEC);
}

SEC("lsm_cgroup/mmap_file")
int BPF_PROG(diglim_hold_mmap, struct file *file, unsigned long reqprot, unsigned long prot, unsigned long flags)
{
  const struct diglim_held *table;

  if (!(prot & PROT_EXEC))
    return ALLOW;
  table = held_table();
  if (table && has(table, DIGLIM_HELD_MMAP) && is_attached(&table->links[DIGLIM_HELD_MMAP_BEGIN]) &&
      is_attached(&table->links[DIGLIM_HELD_MMAP_END]))
    return ALLOW;
  return DENY;
}

SEC("lsm_cgroup/file_mprotect")
int BPF_PROG(diglim_hold_mprotect, struct vm_area_struct *vma, unsigned long reqprot, unsigned long prot)
{
  if (!(prot & PROT_EXEC))
    return ALLOW;
  return answer(DIGLIM_HELD_MPROTECT);
}

SEC("lsm_cgroup/kernel_read_file")
int BPF_PROG(diglim_hold_read, struct file *file, int id, bool contents)
{
  return answer(DIGLIM_HELD_KERNEL_READ);
}

SEC("lsm_cgroup/kernel_load_data")
int BPF_PROG(diglim_hold_load, int id, bool contents)
{
  return answer(DIGLIM_HELD_KERNEL_LOAD);
}

/* Asked at every open: nothing but loads before the common way out. */
SEC("lsm_cgroup/file_open")
int BPF_PROG(diglim_hold_open, struct file *file)
{
  const struct diglim_held *table;

  if (!(file->f_mode & FMODE_WRITE) || (file->f_inode->i_mode & S_IFMT) != S_IFREG)
    return ALLOW;
  table = held_table();
  if (table && is_attached(&table->links[DIGLIM_HELD_FILE_OPEN]))
    return ALLOW;
  return DENY;
}

SEC("lsm_cgroup/bpf")
int BPF_PROG(diglim_hold_bpf, int command, union bpf_attr *attr, unsigned int size)
{
  return answer_all();
}

SEC("lsm_cgroup/bpf_map")
int BPF_PROG(diglim_hold_bmap, struct bpf_map *map, unsigned int mode)
{
  return answer_all();
}

SEC("lsm_cgroup/bpf_prog")
int BPF_PROG(diglim_hold_bprog, struct bpf_prog *prog)
{
  return answer_all();
}

SEC("cgroup/sysctl")
int diglim_hold_ctl(struct bpf_sysctl *ctx)
{
  static const char wanted[] = "kernel/ftrace_enabled";
  char name[32] = {};

  if (!ctx->write)
    return ALLOW;
  if (bpf_sysctl_get_name(ctx, name, sizeof(name), 0) < 0)
    return ALLOW; /* a longer name: not this one */
  return bpf_strncmp(name, sizeof(name), wanted) ? ALLOW : DENY;
}

/* --- At boot: where the main programs are ------------------------------------------------------------------------- */

/* By program id, for the loader, which knows their names. Written by the iterator below. */
struct diglim_held_link found[DIGLIM_HELD_MAX];
__u32 found_ids[DIGLIM_HELD_MAX];
__u32 found_count;

/* The head of the list that `node` is in; 0 if it is in none. */
static __always_inline u64 list_of(struct bpf_trampoline *trampoline, struct hlist_node *node, int kind)
{
  u64 list = (u64)trampoline + bpf_core_field_offset(struct bpf_trampoline, progs_hlist) + kind * sizeof(void *);
  struct hlist_node *at = NULL;

  bpf_probe_read_kernel(&at, sizeof(at), (void *)list);
  for (int i = 0; i < MAX_PROGRAMS && at; i++) {
    if (at == node)
      return list;
    bpf_probe_read_kernel(&at, sizeof(at), &at->next);
  }
  return 0;
}

SEC("iter/bpf_link")
int diglim_hold_find(struct bpf_iter__bpf_link *ctx)
{
  struct bpf_link *link = ctx->link; /* read once: the verifier has to see the test of what is used */
  struct bpf_tracing_link *tracing = (void *)link;
  struct bpf_trampoline *trampoline;
  struct hlist_node *node;
  u32 at = found_count;
  u64 list;

  if (!link || at >= DIGLIM_HELD_MAX || BPF_CORE_READ(link, type) != BPF_LINK_TYPE_TRACING)
    return 0;
  trampoline = BPF_CORE_READ(tracing, trampoline);
  node = (void *)tracing + bpf_core_field_offset(struct bpf_tramp_link, tramp_hlist);
  found[at].node = (u64)node;
  /* Others may have fentry and fexit programs on our functions; LSM ones they cannot load. */
  found[at].program = (u64)BPF_CORE_READ(link, prog);
  found_ids[at] = BPF_CORE_READ(link, prog, aux, id);
  list = list_of(trampoline, node, BPF_TRAMP_MODIFY_RETURN);
  if (list) {
    found[at].program = 0;
  } else {
    list = list_of(trampoline, node, BPF_TRAMP_FENTRY);
    if (!list)
      list = list_of(trampoline, node, BPF_TRAMP_FEXIT);
  }
  found[at].list = list;
  found_count = at + 1;
  return 0;
}
