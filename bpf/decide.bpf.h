/* SPDX-License-Identifier: GPL-2.0-only */
/* The one function that decides about a file. */
#ifndef DIGLIM_BPF_DECIDE_H
#define DIGLIM_BPF_DECIDE_H

#include "bpf/vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "bpf/abi.h"
#include "bpf/content.bpf.h"
#include "bpf/digest_table.bpf.h"
#include "bpf/event.bpf.h"
#include "bpf/hash.bpf.h"
#include "bpf/note.bpf.h"
#include "bpf/settings.bpf.h"

/* The generation in force. Null, and nothing is known: the loader publishes one before it attaches the programs, and only swaps it, so this
 * is for the verifier.
 */
static __always_inline void *take_generation(const struct diglim_generation **header, struct decision *decision)
{
  void *generation = current_generation();

  if (generation) {
    *header = generation_header(generation);
    if (*header)
      return generation;
  }
  decision->reason = DIGLIM_REASON_UNKNOWN;
  return NULL;
}

/* Decides whether the content of `file` is known. `decision` is zeroed here. REQUIRES: a sleepable hook. */
static __always_inline void decide(struct file *file, struct inode *inode, struct inode_note *note, struct decision *decision)
{
  const struct diglim_generation *header = NULL;
  bool collected;
  void *generation;
  long algo;

  __builtin_memset(decision, 0, sizeof(*decision));
  generation = take_generation(&header, decision);
  if (!generation)
    return;
  decision->generation = header->number;
  decision->reason = why_unknowable(inode, note, &decision->detail);
  if (decision->reason)
    return;
  /* First the count, then the look for writers. If a writer counts after that, the tests at the end see him. */
  decision->writes = count_of_writes(note);
  if (has_writer(inode)) {
    decision->reason = DIGLIM_REASON_WRITER;
    return;
  }
  if (take_cached(note, generation, header, decision))
    return;
  __builtin_memset(decision->digest, 0, sizeof(decision->digest));
  __sync_fetch_and_add(&diglim_counters.hashed, 1);
  algo = hash_file(file, inode, decision->digest, &collected);
  if (algo < 0) {
    decision->reason = DIGLIM_REASON_HASH;
    decision->detail = why_not_hashed(algo);
    return;
  }
  __sync_fetch_and_add(&diglim_counters.hashed_bytes, inode->i_size);
  /* IMA collected it before DIGLIM started, and nobody wrote since: such a digest still holds (decision D17). */
  if (collected && !((what_to_look_at() & DIGLIM_WRITES_COUNT_ALL) && decision->writes == 0)) {
    decision->reason = DIGLIM_REASON_STALE;
    return;
  }
  /* Hashing can take seconds: lists may have changed. */
  generation = take_generation(&header, decision);
  if (!generation)
    return;
  decision->empty = inode->i_size == 0;
  decision->algo = algo;
  if (algo != header->algo) {
    decision->reason = DIGLIM_REASON_ALGORITHM;
    decision->detail = algo;
    return;
  }
  judge(generation, header, decision);
  if (has_writer(inode) || count_of_writes(note) != decision->writes) {
    /* Nobody knows which bytes were hashed. */
    decision->reason = DIGLIM_REASON_CHANGED;
    return;
  }
  put_cached(note, decision);
}

#endif
