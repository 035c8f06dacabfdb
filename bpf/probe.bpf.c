/* SPDX-License-Identifier: GPL-2.0-only */
/* Facts that only the kernel knows and that the main programs get as constants. Attached for a moment at boot, before anything
 * else runs:
 *   mmap_file   the loader maps its own file executable: with which algorithm does this kernel hash, to which digest
 *   file_open   the loader opens the directory in which it will pin: at which address is its mount namespace
 */
#include "bpf/vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

const volatile __u32 probe_pid; /* set before load: the loader's thread group id; nobody else is looked at */

__s64 probe_algo = -1; /* enum hash_algo, or a negative errno */
__u64 probe_digest[8];
__u64 probe_namespace; /* 0: the loader opened nothing yet, or what is mounted nowhere */

static __always_inline bool is_loader(void)
{
  return bpf_get_current_pid_tgid() >> 32 == probe_pid;
}

SEC("lsm.s/mmap_file")
int BPF_PROG(probe_mmap_file, struct file *file, unsigned long reqprot, unsigned long prot, unsigned long flags)
{
  u64 file_or_null = 0;

  bpf_get_func_arg(ctx, 0, &file_or_null); /* both tests: see diglim_mmap_file */
  if (!file_or_null || !file || !(prot & PROT_EXEC) || !is_loader())
    return 0;
  probe_algo = bpf_ima_file_hash(file, probe_digest, sizeof(probe_digest));
  return 0;
}

SEC("lsm.s/file_open")
int BPF_PROG(probe_file_open, struct file *file)
{
  struct mount *mount = (void *)file->f_path.mnt - bpf_core_field_offset(struct mount, mnt);

  if (is_loader())
    probe_namespace = (u64)BPF_CORE_READ(mount, mnt_ns);
  return 0;
}
