/* SPDX-License-Identifier: GPL-2.0-only */
/* The digest table: layout in abi.h, reasons in decision D3. */
#ifndef DIGLIM_BPF_DIGEST_TABLE_H
#define DIGLIM_BPF_DIGEST_TABLE_H

#include "bpf/vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "bpf/abi.h"

struct generation_map {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE | BPF_F_INNER_MAP);
  __uint(max_entries, 1);
  /* Sizes, not types: clang 14 emits only a forward declaration for a type that an inner map alone names. */
  __uint(key_size, sizeof(u32));
  __uint(value_size, sizeof(struct diglim_bucket));
};

/* Element 0 is the generation in force. Replaced by the loader with one update, which readers see whole or not at all. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
  __uint(max_entries, 1);
  __type(key, u32);
  __array(values, struct generation_map);
} diglim_gens SEC(".maps");

/* The same as in struct diglim_generation of the generation in force, for the common way, which does not look there. The loader raises it
 * before it publishes, so for an instant it is newer. So a verdict never outlives the removal of its digest.
 */
__u64 diglim_last_removal;

/* Who publishes which generation next: number << 8 | try -> process id of the loader. For loaders only (loader/kernel/claim.h). */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 256);
  __type(key, u64);
  __type(value, u32);
} diglim_claims SEC(".maps");

/* Digests with rights of their own. Written by the loader, at boot and when its package is upgraded. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 64);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, struct diglim_digest_key);
  __type(value, u32);
} diglim_flags SEC(".maps");

static __always_inline void *current_generation(void)
{
  u32 zero = 0;

  return bpf_map_lookup_elem(&diglim_gens, &zero);
}

static __always_inline const struct diglim_generation *generation_header(void *generation)
{
  u32 zero = 0;

  return bpf_map_lookup_elem(generation, &zero);
}

static __always_inline u64 monitor_until(void)
{
  void *generation = current_generation();
  const struct diglim_generation *header = generation ? generation_header(generation) : NULL;

  return header ? header->monitor_until : 0;
}

/* Does monitor mode last? For where something would be denied: what is known costs nothing. No process has to live to end it. */
static __always_inline bool is_monitored(void)
{
  /* What is over wraps around, and is too far away, too. */
  u64 left = monitor_until() - bpf_ktime_get_boot_ns() - 1;

  return left < DIGLIM_MONITOR_SECONDS * 1000000000ULL;
}

static __always_inline bool bucket_has(void *generation, u32 index, const u64 *digest)
{
  const struct diglim_bucket *bucket = bpf_map_lookup_elem(generation, &index);

  if (!bucket)
    return false;
#pragma unroll
  for (int i = 0; i < DIGLIM_SLOTS; i++) {
    const u64 *slot = bucket->slots[i];

    if (slot[0] == digest[0] && slot[1] == digest[1] && slot[2] == digest[2] && slot[3] == digest[3])
      return true;
  }
  return false;
}

/* REQUIRES: the first 32 bytes at `digest` are a slot (short digests padded with zeros), not all zero. */
static __always_inline bool table_has(void *generation, u32 buckets, const u64 *digest)
{
  u32 first = (u64)(u32)digest[0] * buckets >> 32;
  u32 second = (digest[0] >> 32) * buckets >> 32;

  return bucket_has(generation, 1 + first, digest) || bucket_has(generation, 1 + second, digest);
}

#endif
