/* SPDX-License-Identifier: GPL-2.0-only */
/* The first execution of a content that is allowed, as an event, if the configuration says so (log-allowed = first). What is only mapped is
 * none: a library, or a program that another one maps and jumps into. Only the slow way comes here: a file that was_known() costs nothing.
 */
#ifndef DIGLIM_BPF_ALLOWED_H
#define DIGLIM_BPF_ALLOWED_H

#include "bpf/vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/abi.h"
#include "bpf/event.bpf.h"
#include "bpf/note.bpf.h"

/* Digest -> the generation in which it was told. If there are more contents than entries, the oldest is told once more. The loader makes it
 * one entry small where nothing is told.
 */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 16384);
  __type(key, struct diglim_digest_key);
  __type(value, u64);
} diglim_told SEC(".maps");

/* Again once a digest was withdrawn: all verdicts are taken anew then. A generation that only adds digests begins nothing anew. */
static __noinline int report_first(struct file *file, const struct decision *decision)
{
  struct report report = {
      .kind = DIGLIM_KIND_EXEC,
      .algo = decision->algo,
      .generation = decision->generation,
      .inode = BPF_CORE_READ(file, f_inode),
      .mnt = BPF_CORE_READ(file, f_path.mnt),
      .dentry = BPF_CORE_READ(file, f_path.dentry),
  };
  u64 *told = bpf_map_lookup_elem(&diglim_told, decision->digest);

  if (told && *told >= *(volatile u64 *)&diglim_last_removal)
    return 0;
  bpf_map_update_elem(&diglim_told, decision->digest, &decision->generation, BPF_ANY);
  emit(&report, decision->digest);
  return 0;
}

#endif
