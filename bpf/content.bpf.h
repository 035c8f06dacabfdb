/* SPDX-License-Identifier: GPL-2.0-only */
/* Content rules: a digest says something about a file only if its content cannot change behind the inode. */
#ifndef DIGLIM_BPF_CONTENT_H
#define DIGLIM_BPF_CONTENT_H

#include "bpf/vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/abi.h"
#include "bpf/note.bpf.h"
#include "bpf/storage.bpf.h"

/* No signal stops IMA while it hashes. Without a bound, anybody could keep a processor busy for ever with a sparse file. */
#define MAX_HASHED_SIZE (4LL << 30)

/* 0 for file systems whose content changes only through their inodes. Any other one (FUSE, NFS, 9p, overlay, ...) can show other bytes at
 * the next read, so a digest of it says nothing.
 */
static __always_inline u8 why_unstable(struct inode *inode, s32 *detail)
{
  struct super_block *sb = inode->i_sb;
  u64 device = 0; /* address of the block device */
  u64 name = 0;

  *detail = (u32)sb->s_magic;
  if (sb->s_iflags & (SB_I_IMA_UNVERIFIABLE_SIGNATURE | SB_I_UNTRUSTED_MOUNTER))
    return DIGLIM_REASON_FILESYSTEM;
  if (inode->i_flags & S_DAX) /* its pages are the storage itself */
    return DIGLIM_REASON_FILESYSTEM;
  switch ((u32)sb->s_magic) {
  case 0x01021994: /* tmpfs */
  case 0x858458f6: /* ramfs */
    return 0;
  case 0x9123683e: /* btrfs: of its devices, only the name of one is to be seen */
    bpf_probe_read_kernel_str(&name, sizeof(name), &sb->s_id);
    if (diglim_storage_of(name) != STORAGE_OTHER)
      return 0;
    *detail = 0;
    return DIGLIM_REASON_STORAGE;
  case 0x0000ef53: /* ext2, ext3, ext4 */
  case 0x58465342: /* xfs */
  case 0xf2f52010: /* f2fs */
  case 0x73717368: /* squashfs */
  case 0x00009660: /* iso9660 */
  case 0x00004d44: /* vfat */
  case 0xe0f5e1e2: /* erofs; from 6.12 on it can also be mounted from a file */
    bpf_probe_read_kernel(&device, sizeof(device), &sb->s_bdev);
    if (device && diglim_is_disk(device))
      return 0;
    *detail = device ? sb->s_bdev->bd_dev : 0;
    return DIGLIM_REASON_STORAGE;
  }
  return DIGLIM_REASON_FILESYSTEM;
}

/* A memfd, or memory shared through shmget: its descriptors can write and cut without counting as writers. Only the seals say
 * that the content stays.
 */
static __always_inline bool is_unsealed_memory(struct inode *inode)
{
  struct shmem_inode_info *info;

  if (!(inode->i_sb->s_flags & SB_KERNMOUNT))
    return false;
  info = (void *)inode - bpf_core_field_offset(struct shmem_inode_info, vfs_inode);
  return (BPF_CORE_READ(info, seals) & IMMUTABLE_SEALS) != IMMUTABLE_SEALS;
}

/* 0, or why the file's content can never be known: enum diglim_reason. */
static __always_inline u8 why_unknowable(struct inode *inode, struct inode_note *note, s32 *detail)
{
  u8 unstable = why_unstable(inode, detail);

  if (unstable)
    return unstable;
  *detail = 0;
  /* IMA takes a device node for an empty file, and the digest of nothing is on the list of any package with an empty file. */
  if ((inode->i_mode & S_IFMT) != S_IFREG)
    return DIGLIM_REASON_MEMORY;
  if (is_unsealed_memory(inode))
    return DIGLIM_REASON_UNSEALED;
  if (inode->i_size > MAX_HASHED_SIZE) {
    *detail = -EFBIG;
    return DIGLIM_REASON_HASH;
  }
  /* The kernel refuses to seal memory against writing while somebody holds its pages (memfd_wait_for_pins, mm/memfd.c). */
  if (*(volatile u32 *)&note->pinned && !(inode->i_sb->s_flags & SB_KERNMOUNT))
    return DIGLIM_REASON_PINNED;
  return 0;
}

#endif
