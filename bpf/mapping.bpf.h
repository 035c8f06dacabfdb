/* SPDX-License-Identifier: GPL-2.0-only */
/* The instant between our mmap hook and the moment when the mapping can be seen in i_mmap (decision D15).
 *
 * Architecture: a mapper writes into a slot of a table which inode it maps, and from which instruction it entered the kernel. The kernel
 * saves the registers of a task when it enters, and they stay until it leaves. If a writer finds the file unmapped, it looks through the
 * table, and at the registers of each task that was mapping this inode. If the instruction is the same, the task may still be in mmap or
 * exec, and the writer is refused. Nothing has to be done when the mapping is there. Nothing counts up and down. If a task dies, only its
 * slot stays, and nobody has such registers any more.
 */
#ifndef DIGLIM_BPF_MAPPING_H
#define DIGLIM_BPF_MAPPING_H

#include "bpf/vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/event.bpf.h"

#define MAPPER_SLOTS 4096
#define MAPPER_TRIES 8
#define STACK_SHIFT 15 /* kernel stacks of 16 KiB, each with a page that is not there, aligned to their size */

struct mapper {
  u64 claim; /* counts the owners; odd while one writes the rest */
  u64 inode; /* addresses */
  u64 registers;
  u64 ip;        /* what lay there */
  u64 unused[4]; /* a cache line for each */
};

static struct mapper diglim_mappers[MAPPER_SLOTS]; /* static: its type is ours alone */

/* Can the task that wrote the slot still be in the call in which it did? */
static __always_inline bool is_under_way(struct mapper *slot)
{
  struct pt_regs *registers = (void *)slot->registers;
  u64 ip = 0;

  /* If the registers cannot be read, their task is gone. */
  return registers && bpf_core_read(&ip, sizeof(ip), &registers->ip) == 0 && ip == slot->ip;
}

/* `owners`: the count when it was looked at. Other than 0: somebody else writes to it, or has. */
static __always_inline u64 claim(struct mapper *slot, u64 owners)
{
  u64 even = owners & ~1ull;
  u64 lost = __sync_val_compare_and_swap(&slot->claim, even, even + 1) ^ even;

  barrier_var(lost); /* the compiler makes a bool of it, and five instructions of that */
  return lost;
}

/* The place for this kernel stack is taken by a call on another one: the next place whose call is over. */
static __noinline u32 claim_other(u32 start)
{
  for (u32 i = 0; i < MAPPER_TRIES; i++) {
    u32 index = (start + i) & (MAPPER_SLOTS - 1);
    struct mapper *slot = &diglim_mappers[index & (MAPPER_SLOTS - 1)];
    u64 owners = *(volatile u64 *)&slot->claim;

    if (!is_under_way(slot) && claim(slot, owners) == 0)
      return index;
  }
  return MAPPER_SLOTS;
}

/* Says that this task may be about to map the inode; all that it does afterwards comes after that for other processors, too. False: no
 * place was found, since many mappings are under way, or seem to be: somebody may have thousands of threads wait where they once mapped a
 * file. Then the note has to say it for as long as it lives.
 */
static __always_inline bool announce_mapping(struct inode *inode)
{
  struct pt_regs *registers = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());
  u32 index = (u64)registers >> STACK_SHIFT & (MAPPER_SLOTS - 1);
  struct mapper *slot = &diglim_mappers[index];
  u64 owners = *(volatile u64 *)&slot->claim;
  u64 before = *(volatile u64 *)&slot->registers;

  if ((before != (u64)registers && before) || claim(slot, owners) != 0) {
    index = claim_other(index);
    if (index >= MAPPER_SLOTS)
      return false;
    slot = &diglim_mappers[index & (MAPPER_SLOTS - 1)];
  }
  slot->inode = (u64)inode;
  slot->registers = (u64)registers;
  slot->ip = registers->ip;
  __sync_fetch_and_add(&slot->claim, 1);
  return true;
}

struct mapper_search {
  u64 inode;
  u64 found;
};

static long look_at_mapper(u32 index, struct mapper_search *search)
{
  struct mapper *slot = &diglim_mappers[index & (MAPPER_SLOTS - 1)];

  if (*(volatile u64 *)&slot->inode != search->inode || !is_under_way(slot))
    return 0;
  search->found = 1;
  return 1;
}

/* When the kernel splits or resizes a mapping, it takes it out of i_mmap for an instant, under the write lock. No program here can take
 * that lock. So an empty i_mmap counts only if the lock is free and a second look finds it empty, too.
 */
static __always_inline bool is_mapped(struct inode *inode)
{
  struct address_space *mapping = inode->i_mapping;

  if (*(void *volatile *)&mapping->i_mmap.rb_root.rb_node)
    return true;
  if (bpf_core_field_exists(mapping->i_mmap_rwsem.count.counter) &&
      (*(volatile s64 *)&mapping->i_mmap_rwsem.count.counter & RWSEM_WRITER_LOCKED))
    return true;
  return *(void *volatile *)&mapping->i_mmap.rb_root.rb_node;
}

/* Is the file mapped, or may it be in a moment? It takes a look at 4,096 slots, but only if the file is not mapped now. REQUIRES: it was
 * mapped executable before.
 */
static __always_inline bool may_be_mapped(struct inode *inode)
{
  struct mapper_search search = {.inode = (u64)inode, .found = unknown_zero};

  if (is_mapped(inode))
    return true;
  bpf_loop(MAPPER_SLOTS, look_at_mapper, &search, 0);
  if (search.found)
    return true;
  /* Only now: a call that was over by the look at its slot has left its mapping. */
  return is_mapped(inode);
}

#endif
