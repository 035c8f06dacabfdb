/* SPDX-License-Identifier: GPL-2.0-only */
/* What the loader tells the programs: set between open and load, fixed from then on. */
#ifndef DIGLIM_BPF_SETTINGS_H
#define DIGLIM_BPF_SETTINGS_H

#include "bpf/vmlinux.h"

#include "bpf/abi.h"

const volatile __u32 diglim_mode = DIGLIM_MODE_ENFORCE;
const volatile __u32 diglim_measure; /* 1: IMA measures what is unknown */
const volatile __u32 diglim_labels;  /* enum diglim_labels */
/* The programs do not look at these two. They stand here because root cannot change them. */
const volatile __u32 diglim_monitor;                    /* enum diglim_monitor */
const volatile char diglim_boot_id[DIGLIM_BOOT_ID + 4]; /* zeros at the end; none: it could not be read */
/* 1: the kernel refuses modules without a signature of its own keys, for as long as it runs (loader/module_signatures.h). */
const volatile __u32 diglim_module_signatures;
const volatile __u32 diglim_log_allowed; /* 1: the first execution of a content is an event, too (allowed.bpf.h) */
const volatile __u32 diglim_below;       /* enum diglim_below */
/* DIGLIM_ANSWERS_*: which LSM programs of others could give positive answers, and BTF ids of the hooks where that does no harm. */
const volatile __u32 diglim_lsm_answers = DIGLIM_ANSWERS_MAC | DIGLIM_ANSWERS_CGROUP;
const volatile __u32 diglim_free_hooks[DIGLIM_FREE_HOOKS];

/* DIGLIM_WRITES_*: one number, so that opening a file costs one load for all of it. The loader sets it before it attaches the programs. */
__u32 diglim_writes;
__u32 diglim_measuring; /* 1: IMA's policy is in force; the loader sets it, once */

static __always_inline u32 what_to_look_at(void)
{
  return *(volatile __u32 *)&diglim_writes;
}

#endif
