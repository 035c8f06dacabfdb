/* SPDX-License-Identifier: GPL-2.0-only */
/* Lookups for table_bench: in the digest table as the LSM programs see it, and in hash maps beside it.
 *
 * Architecture: `syscall` programs, run by BPF_PROG_TEST_RUN, each of which does lookup_count lookups in a bpf_loop:
 *   lookup_nothing   only reads the queries: what the others have to be reduced by
 *   lookup_table     outer array, generation's header, two buckets (bpf/digest_table.bpf.h)
 *   lookup_hash      BPF_MAP_TYPE_HASH without preallocation
 *   lookup_prealloc  BPF_MAP_TYPE_HASH with preallocation, as DIGLIM had it in 2022
 */
#include "bpf/vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "bpf/abi.h"
#include "bpf/digest_table.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define QUERIES 65536

/* Written by table_bench before each run. */
__u64 queries[QUERIES][DIGLIM_SLOT_SIZE / 8];
__u32 lookup_count;
/* Written by the programs; 0 before each run. */
__u64 found;

/* Both are created by table_bench, which sets their size. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, struct diglim_digest_key);
  __type(value, u32);
} peer_hash SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1);
  __type(key, struct diglim_digest_key);
  __type(value, u32);
} peer_prealloc SEC(".maps");

static long read_query(u32 index, void *context)
{
  const u64 *query = queries[index & (QUERIES - 1)];

  if (!(query[0] | query[1] | query[2] | query[3]))
    found++;
  return 0;
}

static long find_in_table(u32 index, void *context)
{
  const u64 *query = queries[index & (QUERIES - 1)];
  const struct diglim_generation *header;
  void *generation = current_generation();

  if (!generation)
    return 1;
  header = generation_header(generation);
  if (!header)
    return 1;
  if (table_has(generation, header->buckets, query))
    found++;
  return 0;
}

static long find_in_hash(u32 index, void *context)
{
  if (bpf_map_lookup_elem(&peer_hash, queries[index & (QUERIES - 1)]))
    found++;
  return 0;
}

static long find_in_prealloc(u32 index, void *context)
{
  if (bpf_map_lookup_elem(&peer_prealloc, queries[index & (QUERIES - 1)]))
    found++;
  return 0;
}

SEC("syscall")
int lookup_nothing(void *context)
{
  bpf_loop(lookup_count, read_query, NULL, 0);
  return 0;
}

SEC("syscall")
int lookup_table(void *context)
{
  bpf_loop(lookup_count, find_in_table, NULL, 0);
  return 0;
}

SEC("syscall")
int lookup_hash(void *context)
{
  bpf_loop(lookup_count, find_in_hash, NULL, 0);
  return 0;
}

SEC("syscall")
int lookup_prealloc(void *context)
{
  bpf_loop(lookup_count, find_in_prealloc, NULL, 0);
  return 0;
}
