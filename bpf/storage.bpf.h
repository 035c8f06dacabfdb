/* SPDX-License-Identifier: GPL-2.0-only */
/* Does a file system lie on disks? If it lies on a loop device, a ram disk, or storage that a process or another machine serves, root can
 * change the content below it, unseen by every hook that knows its inodes (decision D21).
 *
 * Architecture: a block device's name says its driver (DIGLIM_DISKS). A device that is made of others (device mapper, md) has links to
 * them in sysfs, in its directory "slaves": all of these must be disks, and what they are made of, too. The walk takes no lock: if
 * somebody exchanges the parts of a device meanwhile, he can do so afterwards as well (docs/limitations.md). Asked only before hashing.
 */
#ifndef DIGLIM_BPF_STORAGE_H
#define DIGLIM_BPF_STORAGE_H

#include "bpf/vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/abi.h"

#define STORAGE_STACK 16  /* entries of directories that are still to be looked at */
#define STORAGE_STEPS 512 /* entries in all */
#define STORAGE_WALKS 64  /* at once; a power of two */
#define STORAGE_TRIES 8

enum storage {
  STORAGE_OTHER = 0,
  STORAGE_DISK = 1,
  STORAGE_COMPOSED = 2, /* made of other devices */
};

/* The first seven bytes of a name as a number, zeros behind its end. */
typedef u64 short_name;

#define NAME_BYTE(text, at) (sizeof(text) > (at) + 1 ? (u64)(text)[(at) < sizeof(text) ? (at) : 0] << 8 * (at) : 0)
#define NAME(text) \
  (NAME_BYTE(text, 0) | NAME_BYTE(text, 1) | NAME_BYTE(text, 2) | NAME_BYTE(text, 3) | NAME_BYTE(text, 4) | NAME_BYTE(text, 5))
#define BEGINS_WITH(text) || (name & ((1ULL << 8 * (sizeof(text) - 1)) - 1)) == NAME(text)

/* enum storage. Not static: the verifier looks at such a function once, not at each call. */
__noinline int diglim_storage_of(u64 name)
{
  if (false DIGLIM_COMPOSED_DISKS(BEGINS_WITH))
    return STORAGE_COMPOSED;
  if (false DIGLIM_DISKS(BEGINS_WITH))
    return STORAGE_DISK;
  return STORAGE_OTHER;
}

/* In each entry the lowest bit tells what the directory is. */
#define IN_SLAVES 0
#define IN_DEVICE 1

/* In memory that the verifier does not follow: on the stack it would follow each turn of the walk. */
struct storage_walk {
  u64 stack[STORAGE_STACK];
  u64 used;
  u32 busy;
  u32 devices; /* 1: there was one in "slaves" */
  u32 refused;
};
static struct storage_walk storage_walks[STORAGE_WALKS];

static __always_inline struct storage_walk *storage_walk(u32 index)
{
  return &storage_walks[index & (STORAGE_WALKS - 1)];
}

static __always_inline void push_entry(struct storage_walk *walk, struct rb_node___tree *node, u64 directory)
{
  u64 used = walk->used;

  if (!node)
    return;
  if (used >= STORAGE_STACK) {
    walk->refused = 1;
    return;
  }
  walk->stack[used] = (u64)node | directory;
  walk->used = used + 1;
}

static __always_inline void push_directory(struct storage_walk *walk, struct kernfs_node *directory, u64 kind)
{
  push_entry(walk, (void *)BPF_CORE_READ(directory, dir.children.rb_node), kind);
}

static long look_at_entry(u32 turn, u32 *index)
{
  struct storage_walk *walk = storage_walk(*index);
  short_name name = 0;
  struct rb_node___tree *node;
  struct kernfs_node *entry;
  u64 used = walk->used - 1;
  u64 kind;

  if (used >= STORAGE_STACK)
    return 1;
  kind = walk->stack[used] & 1;
  node = (void *)(walk->stack[used] & ~1ULL);
  walk->used = used;
  push_entry(walk, BPF_CORE_READ(node, rb_left), kind);
  push_entry(walk, BPF_CORE_READ(node, rb_right), kind);
  entry = (void *)node - bpf_core_field_offset(struct kernfs_node, rb);
  bpf_probe_read_kernel_str(&name, sizeof(name), BPF_CORE_READ(entry, name));
  if (kind == IN_DEVICE) {
    if (name == NAME("slaves"))
      push_directory(walk, entry, IN_SLAVES);
  } else {
    int storage = diglim_storage_of(name);

    walk->devices = 1;
    if (storage == STORAGE_COMPOSED)
      push_directory(walk, BPF_CORE_READ(entry, symlink.target_kn), IN_DEVICE);
    else if (storage != STORAGE_DISK)
      walk->refused = 1;
  }
  if (walk->refused)
    return 1;
  return 0;
}

/* One that nobody uses; STORAGE_WALKS: there is none. Each processor looks at its own first. */
static __always_inline u32 take_walk(void)
{
  u32 start = bpf_get_smp_processor_id() * STORAGE_TRIES;

#pragma unroll
  for (u32 i = 0; i < STORAGE_TRIES; i++) {
    if (__sync_val_compare_and_swap(&storage_walk(start + i)->busy, 0, 1) == 0)
      return (start + i) & (STORAGE_WALKS - 1);
  }
  return STORAGE_WALKS;
}

static __noinline int is_made_of_disks(struct gendisk *disk)
{
  u32 index = take_walk();
  struct storage_walk *walk = storage_walk(index);
  int result;

  if (index >= STORAGE_WALKS)
    return 0; /* so many at once, each for an instant: the next try helps */
  walk->used = 0;
  walk->devices = 0;
  walk->refused = 0;
  push_directory(walk, BPF_CORE_READ(disk, slave_dir, sd), IN_SLAVES);
  bpf_loop(STORAGE_STEPS, look_at_entry, &index, 0);
  result = !walk->refused && !walk->used && walk->devices;
  __sync_val_compare_and_swap(&walk->busy, 1, 0);
  return result;
}

/* 1: it lies on disks. Not static, as above. `device`: address of a struct block_device. */
__noinline int diglim_is_disk(u64 device)
{
  struct gendisk *disk = BPF_CORE_READ((struct block_device *)device, bd_disk);
  short_name name = 0;

  bpf_probe_read_kernel_str(&name, sizeof(name), &disk->disk_name);
  switch (diglim_storage_of(name)) {
  case STORAGE_DISK:
    return 1;
  case STORAGE_COMPOSED:
    return is_made_of_disks(disk);
  }
  return 0;
}

#endif
