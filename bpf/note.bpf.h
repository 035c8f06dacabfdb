/* SPDX-License-Identifier: GPL-2.0-only */
/* Our note about an inode: how often it was written, and the verdict that held then (decision D4).
 *
 * Architecture: writers count in `writes`, before they can write. A verdict holds for the count at which it was taken, and while nobody
 * has the file open for writing. was_known() is the common way: it needs no look into the digest table. If it says no, take_cached()
 * judges the stored digest anew, since lists may have changed.
 */
#ifndef DIGLIM_BPF_NOTE_H
#define DIGLIM_BPF_NOTE_H

#include "bpf/vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/abi.h"
#include "bpf/digest_table.bpf.h"

enum verdict {
  VERDICT_NONE = 0, /* not decided, or no longer true */
  VERDICT_KNOWN = 1,
  VERDICT_UNKNOWN = 2,
  VERDICT_EMPTY = 3, /* known, but there is nothing in it that could run */
};

#define MAPPED 1
#define MAPPED_FOR_EVER 2 /* it could not be said who is mapping it, so nobody may write to it again */

#define STATE_BUSY 1u
#define STATE_VERDICT(verdict) ((verdict) << 1)
#define STATE_COUNT 8u

/* It lives as long as the inode does in memory. The members below `state` change together under it: BPF spin locks are not allowed in
 * sleepable programs. Plain loads and stores suffice on x86, whose stores become visible in order.
 */
struct inode_note {
  u64 writes;            /* openings for write and truncations since the note exists */
  u32 mapped_executable; /* MAPPED once somebody was allowed to map it executable; only then can writing be refused */
  u32 pinned;            /* 1 once somebody could get hold of its pages for writing (write.bpf.h); never back to 0 */
  u32 manifest;          /* 1: the loader made it to be measured, and nobody writes to it any more; never back to 0 */
  u32 state;             /* counts verdicts from STATE_COUNT on; below, enum verdict; STATE_BUSY: they change */
  u32 flags;             /* DIGLIM_FLAG_* of the digest */
  u64 verdict_writes;
  u64 generation;
  u64 digest[8];
};

struct {
  __uint(type, BPF_MAP_TYPE_INODE_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct inode_note);
} diglim_inodes SEC(".maps");

static __always_inline struct inode_note *find_note(struct inode *inode)
{
  return bpf_inode_storage_get(&diglim_inodes, inode, NULL, 0);
}

/* If two tasks are the first to ask, at the same time, one of them can fail (-EAGAIN in bpf_local_storage_alloc). Asking again finds the
 * note of the other. Null: the kernel has no memory.
 */
static __always_inline struct inode_note *make_note(struct inode *inode)
{
  struct inode_note *note = bpf_inode_storage_get(&diglim_inodes, inode, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

  if (!note)
    note = bpf_inode_storage_get(&diglim_inodes, inode, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
  if (!note)
    note = bpf_inode_storage_get(&diglim_inodes, inode, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
  return note;
}

static __always_inline bool has_writer(struct inode *inode)
{
  return *(volatile int *)&inode->i_writecount.counter > 0; /* volatile: each call looks anew */
}

static __always_inline u64 count_of_writes(struct inode_note *note)
{
  return *(volatile u64 *)&note->writes;
}

/* What decide() found. `reason` 0 means known. */
struct decision {
  u64 digest[8]; /* zeros beyond the algorithm's size */
  u64 generation;
  u64 writes; /* the note's count before the content was looked at */
  u32 flags;
  s32 detail;
  u16 algo; /* enum hash_algo of digest; 0: it was not hashed */
  bool empty;
  u8 reason; /* enum diglim_reason */
};

/* Was the content found known, and does that still hold if nobody has it open for writing? The caller looks for writers afterwards.
 * `writes`: the note's count, read before. The other conditions (file system, seals, kind) cannot change as long as the inode
 * lives. Does not sleep.
 */
static __always_inline bool was_known(struct inode_note *note, u64 writes)
{
  u32 state = *(volatile u32 *)&note->state;

  barrier(); /* the compiler must not move what follows before the first look at the state, or behind the second */
  if ((state & (STATE_COUNT - 1)) != STATE_VERDICT(VERDICT_KNOWN) || note->verdict_writes != writes ||
      note->generation < *(volatile u64 *)&diglim_last_removal)
    return false;
  barrier();
  return *(volatile u32 *)&note->state == state;
}

/* Is the content known, by the digest in decision->digest? Sets flags and reason. */
static __always_inline void judge(void *generation, const struct diglim_generation *header, struct decision *decision)
{
  u32 *flags = bpf_map_lookup_elem(&diglim_flags, decision->digest);

  decision->flags = flags ? *flags : 0;
  decision->algo = header->algo;
  decision->generation = header->number;
  decision->reason = 0;
  if (!(decision->flags & DIGLIM_FLAG_LOADER) && !table_has(generation, header->buckets, decision->digest))
    decision->reason = DIGLIM_REASON_UNKNOWN;
}

static __always_inline void put_cached(struct inode_note *note, const struct decision *decision)
{
  u32 state = *(volatile u32 *)&note->state;
  u32 verdict = decision->reason ? VERDICT_UNKNOWN : decision->empty ? VERDICT_EMPTY : VERDICT_KNOWN;

  /* If another task stores at this moment, this one need not: its own answer stands, and the next task hashes again. */
  if ((state & STATE_BUSY) || __sync_val_compare_and_swap(&note->state, state, state | STATE_BUSY) != state)
    return;
  note->verdict_writes = decision->writes;
  note->generation = decision->generation;
  note->flags = decision->flags;
  __builtin_memcpy(note->digest, decision->digest, sizeof(note->digest));
  barrier();
  *(volatile u32 *)&note->state = ((state | (STATE_COUNT - 1)) + 1) | STATE_VERDICT(verdict);
}

/* Takes the stored digest, if the content is still the one that was hashed, and judges it by the generation. False: it has to be hashed.
 * decision->writes is set. Does not sleep.
 */
static __always_inline bool take_cached(struct inode_note *note, void *generation, const struct diglim_generation *header,
                                        struct decision *decision)
{
  u32 state = *(volatile u32 *)&note->state;
  u32 verdict = state & (STATE_COUNT - 1);

  barrier();
  if ((state & STATE_BUSY) || verdict == STATE_VERDICT(VERDICT_NONE) || note->verdict_writes != decision->writes)
    return false;
  __builtin_memcpy(decision->digest, note->digest, sizeof(decision->digest));
  decision->empty = verdict == STATE_VERDICT(VERDICT_EMPTY);
  barrier();
  if (*(volatile u32 *)&note->state != state)
    return false;
  judge(generation, header, decision);
  put_cached(note, decision);
  return true;
}

#endif
