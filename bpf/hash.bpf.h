/* SPDX-License-Identifier: GPL-2.0-only */
/* Hashing, by the kernel (decision D2), and whether the digest is fresh (decision D17). */
#ifndef DIGLIM_BPF_HASH_H
#define DIGLIM_BPF_HASH_H

#include "bpf/vmlinux.h"

#include <bpf/bpf_helpers.h>

/* Hashes the content. The algorithm (enum hash_algo), or a negative errno.
 *
 * If a rule of IMA collected the file, bpf_ima_file_hash() returns the collected digest; otherwise it hashes anew. A collected digest can
 * be old: IMA notices neither truncate(2) nor two writers that close at once (security/integrity/ima/ima_main.c: __ima_inode_hash(),
 * ima_check_last_writer()). bpf_ima_inode_hash() never computes: it only returns the collected digest. So it is asked first:
 *   no digest, or another one   the final digest is fresh. If IMA collects it between the two calls, it is as new as one that we compute
 *   the same digest             `*collected`: it may be of older content
 * REQUIRES: a sleepable hook; 64 bytes of zeros.
 */
static __always_inline long hash_file(struct file *file, struct inode *inode, u64 digest[8], bool *collected)
{
  u64 before[4] = {};
  long had = bpf_ima_inode_hash(inode, before, sizeof(before));
  long algo = bpf_ima_file_hash(file, digest, 8 * sizeof(u64));

  *collected = had >= 0 && before[0] == digest[0] && before[1] == digest[1] && before[2] == digest[2] && before[3] == digest[3];
  return algo;
}

/* IMA says of each failure EOPNOTSUPP. A process that is being killed reads no file to its end, and that says nothing of the file. Whatever
 * kills it, each of its threads has SIGKILL then (kernel/signal.c: complete_signal()).
 */
static __always_inline long why_not_hashed(long error)
{
  return bpf_get_current_task_btf()->pending.signal.sig[0] & 1UL << (SIGKILL - 1) ? -EINTR : error;
}

#endif
