/* SPDX-License-Identifier: GPL-2.0-only */
/* The one function that decides about a file, and its cache (decisions D2 and D4). */
#ifndef DIGLIM_BPF_VERDICT_H
#define DIGLIM_BPF_VERDICT_H

enum verdict {
  VERDICT_NONE = 0, /* not decided, or no longer true */
  VERDICT_KNOWN = 1,
  VERDICT_UNKNOWN = 2,
};

/* Our note about an inode. It lives as long as the inode does in memory.
 *
 * `writes` counts openings for write and truncations since the note exists; digest and verdict hold only for the count at which
 * they were taken. The other members change together under the sequence number `sequence` (odd while they change): BPF
 * spin locks are not allowed in sleepable programs. Plain loads and stores suffice on x86, whose stores become visible in order.
 */
struct inode_note {
  u64 writes;
  u32 sequence;
  u32 mapped_executable; /* 1 once somebody was allowed to map it executable; only then can writing be refused */
  u64 verdict_writes;
  u64 generation;
  s64 size;
  s64 ctime_sec;
  s64 ctime_nsec;
  u32 verdict;
  u32 flags; /* DIGLIM_FLAG_* of the digest */
  u64 digest[8];
  u64 manifest; /* 1: the loader made it to be measured, and nobody writes to it any more; never back to 0 */
};

struct {
  __uint(type, BPF_MAP_TYPE_INODE_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct inode_note);
} diglim_inodes SEC(".maps");

/* The first two who ask at the same time can make one of them fail (-EAGAIN in bpf_local_storage_alloc); asking again finds the note
 * of the other.
 */
static __always_inline struct inode_note *note_of(struct inode *inode)
{
  struct inode_note *note = bpf_inode_storage_get(&diglim_inodes, inode, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

  if (!note)
    note = bpf_inode_storage_get(&diglim_inodes, inode, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
  if (!note)
    note = bpf_inode_storage_get(&diglim_inodes, inode, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
  return note;
}

/* What follows reads kernel structures through pointers that the verifier knows, by plain loads: bpf_probe_read_kernel() costs some
 * 80 instructions each time, and on the cached path that was most of it.
 *
 * What changes whenever content does, should a writer ever get past the hooks. The raw i_version is no use here: the
 * kernel increases it only after somebody asked for it through inode_query_iversion().
 */
struct cookie {
  s64 size;
  s64 ctime_sec;
  s64 ctime_nsec;
};

static __always_inline void read_cookie(struct inode *inode, struct cookie *cookie)
{
  struct inode___v6_6 *v6_6 = (void *)inode;
  struct inode___v6_11 *v6_11 = (void *)inode;

  cookie->size = inode->i_size;
  if (bpf_core_field_exists(v6_11->i_ctime_sec)) {
    cookie->ctime_sec = v6_11->i_ctime_sec;
    cookie->ctime_nsec = v6_11->i_ctime_nsec;
  } else if (bpf_core_field_exists(v6_6->__i_ctime)) {
    cookie->ctime_sec = v6_6->__i_ctime.tv_sec;
    cookie->ctime_nsec = v6_6->__i_ctime.tv_nsec;
  } else {
    cookie->ctime_sec = inode->i_ctime.tv_sec;
    cookie->ctime_nsec = inode->i_ctime.tv_nsec;
  }
}

/* Block devices whose content root writes through a file or a socket, below the file system and unseen by every hook that knows its
 * inodes (Documentation/admin-guide/devices.txt).
 */
#define RAMDISK_MAJOR 1
#define LOOP_MAJOR 7
#define NBD_MAJOR 43

/* File systems whose content changes only through their inodes. Any other one (FUSE, NFS, 9p, overlay, ...) can show other
 * bytes at the next read, so a digest of it says nothing.
 */
static __always_inline bool content_is_stable(struct super_block *sb)
{
  u64 iflags = sb->s_iflags;

  if (iflags & (SB_I_IMA_UNVERIFIABLE_SIGNATURE | SB_I_UNTRUSTED_MOUNTER))
    return false;
  switch (sb->s_dev >> 20) {
  case RAMDISK_MAJOR:
  case LOOP_MAJOR:
  case NBD_MAJOR:
    return false;
  }
  switch ((u32)sb->s_magic) {
  case 0x0000ef53: /* ext2, ext3, ext4 */
  case 0x58465342: /* xfs */
  case 0x9123683e: /* btrfs */
  case 0xf2f52010: /* f2fs */
  case 0x01021994: /* tmpfs */
  case 0x858458f6: /* ramfs */
  case 0x73717368: /* squashfs */
  case 0x00009660: /* iso9660 */
  case 0x00004d44: /* vfat */
    return true;
  case 0xe0f5e1e2: /* erofs; from 6.12 on it can also be mounted from a file */
    return sb->s_bdev;
  }
  return false;
}

/* A memfd, or memory shared through shmget: its descriptors can write and cut without counting as writers. Only the seals say
 * that the content stays.
 */
static __always_inline bool is_unsealed_memory(struct inode *inode, struct super_block *sb)
{
  struct shmem_inode_info *info;

  if (!(sb->s_flags & SB_KERNMOUNT))
    return false;
  info = (void *)inode - bpf_core_field_offset(struct shmem_inode_info, vfs_inode);
  return (BPF_CORE_READ(info, seals) & IMMUTABLE_SEALS) != IMMUTABLE_SEALS;
}

static __always_inline bool has_writer(struct inode *inode)
{
  return *(volatile int *)&inode->i_writecount.counter > 0; /* volatile: each call looks anew */
}

/* IMA hashes on and on, whatever signal comes. Without a bound, anybody could keep a processor busy for ever with a sparse file. */
#define MAX_HASHED_SIZE (4LL << 30)

/* What decide() found. `reason` 0 means known. */
struct decision {
  u64 digest[8]; /* zeros beyond the algorithm's size */
  u64 generation;
  u64 writes; /* the note's count before hashing */
  u32 flags;
  s32 detail;
  u16 algo;  /* enum hash_algo of digest; 0: it was not hashed */
  u8 reason; /* enum diglim_reason */
};

/* Is the content known, by the digest in decision->digest? Sets flags and reason. */
static __always_inline void judge(void *generation, const struct diglim_generation *header, struct decision *decision)
{
  u32 *flags = bpf_map_lookup_elem(&diglim_flags, decision->digest);

  decision->flags = flags ? *flags : 0;
  decision->algo = header->algo;
  decision->reason = 0;
  if (!(decision->flags & DIGLIM_FLAG_LOADER) && !table_has(generation, header->buckets, decision->digest))
    decision->reason = DIGLIM_REASON_UNKNOWN;
}

static __always_inline void put_cached(struct inode_note *note, const struct cookie *cookie,
                                       const struct decision *decision)
{
  u32 sequence = *(volatile u32 *)&note->sequence;

  /* Whoever comes second while another stores need not: its own answer stands, and the next one hashes again. */
  if ((sequence & 1) || __sync_val_compare_and_swap(&note->sequence, sequence, sequence + 1) != sequence)
    return;
  note->verdict = decision->reason ? VERDICT_UNKNOWN : VERDICT_KNOWN;
  note->verdict_writes = decision->writes;
  note->generation = decision->generation;
  note->size = cookie->size;
  note->ctime_sec = cookie->ctime_sec;
  note->ctime_nsec = cookie->ctime_nsec;
  note->flags = decision->flags;
  __builtin_memcpy(note->digest, decision->digest, sizeof(note->digest));
  __sync_fetch_and_add(&note->sequence, 1);
}

/* Takes from the note what is still true of the content: the verdict, or, where lists came or went since, the digest to judge it anew.
 * Does not sleep. False: the content has to be hashed.
 */
static __always_inline bool take_cached(struct inode *inode, struct inode_note *note, void *generation,
                                        const struct diglim_generation *header, struct decision *decision)
{
  u32 sequence = *(volatile u32 *)&note->sequence;
  struct cookie cookie;
  bool holds;
  u32 verdict;

  barrier(); /* the compiler must not move what follows before the first look at the number, or behind the second */
  verdict = note->verdict;
  if (verdict == VERDICT_NONE || note->verdict_writes != note->writes)
    return false;
  read_cookie(inode, &cookie);
  if (note->size != cookie.size || note->ctime_sec != cookie.ctime_sec || note->ctime_nsec != cookie.ctime_nsec)
    return false;
  /* What was known stays so until something is removed; what was unknown may have become known with any list. */
  if (verdict == VERDICT_KNOWN)
    holds = note->generation >= header->last_removal;
  else
    holds = note->generation == header->number;
  decision->reason = verdict == VERDICT_KNOWN ? 0 : DIGLIM_REASON_UNKNOWN;
  decision->flags = note->flags;
  if (verdict == VERDICT_UNKNOWN || !holds) {
    decision->algo = header->algo;
    __builtin_memcpy(decision->digest, note->digest, sizeof(decision->digest));
  }
  barrier();
  /* Only one who saw an even number twice saw the members as one writer left them. */
  if ((sequence & 1) || *(volatile u32 *)&note->sequence != sequence)
    return false;
  if (!holds) {
    judge(generation, header, decision);
    put_cached(note, &cookie, decision);
  }
  return true;
}

/* bpf_ima_file_hash() hashes anew unless an IMA rule collected the file; then it hands out what was collected, and IMA notices neither
 * truncate(2) nor two writers that close at once (security/integrity/ima/ima_main.c: __ima_inode_hash(),
 * ima_check_last_writer()). So a task leaves here, by its number, that it really computed, and nobody else can leave that number. Two
 * tasks that share a slot can only make one of them try again.
 */
#define HASHING_SLOTS 4096
__u64 hashing[HASHING_SLOTS];

static __always_inline volatile __u64 *hashing_slot(u64 task)
{
  return &hashing[task & (HASHING_SLOTS - 1)];
}

/* Called only where the content is read: a digest that was collected before does not pass here. */
SEC("fentry/ima_calc_file_hash")
int BPF_PROG(diglim_hash, struct file *file)
{
  u64 task = bpf_get_current_pid_tgid();

  *hashing_slot(task) = task;
  return 0;
}

#define HASHING_TRIES 3

/* As bpf_ima_file_hash(). `now`: was it computed in this call? REQUIRES: a sleepable hook. */
static __always_inline long hash_file(struct file *file, u64 digest[8], bool *now)
{
  u64 task = bpf_get_current_pid_tgid();
  volatile __u64 *slot = hashing_slot(task);
  long algo = 0;

  *now = false;
  for (int i = 0; i < HASHING_TRIES; i++) {
    *slot = 0;
    algo = bpf_ima_file_hash(file, digest, 8 * sizeof(u64));
    if (algo < 0)
      return algo;
    if (*slot == task) {
      *now = true;
      return algo;
    }
  }
  return algo;
}

/* Decides whether the content of `file` is known. REQUIRES: a sleepable hook. */
static __always_inline void decide(struct file *file, struct inode *inode, struct inode_note *note,
                                   struct decision *decision)
{
  struct super_block *sb = inode->i_sb;
  const struct diglim_generation *header;
  struct cookie cookie;
  void *generation;
  bool now;
  long algo;

  __builtin_memset(decision, 0, sizeof(*decision));
  generation = current_generation();
  if (!generation) {
    decision->reason = DIGLIM_REASON_NO_GENERATION;
    return;
  }
  header = generation_header(generation);
  if (!header) {
    decision->reason = DIGLIM_REASON_NO_GENERATION;
    return;
  }
  decision->generation = header->number;
  if (!content_is_stable(sb)) {
    decision->reason = DIGLIM_REASON_FILESYSTEM;
    decision->detail = (u32)sb->s_magic;
    return;
  }
  /* A device node has size 0 to IMA, which then gives the digest of nothing: on the list of any package with an empty file. */
  if ((inode->i_mode & S_IFMT) != S_IFREG) {
    decision->reason = DIGLIM_REASON_MEMORY;
    return;
  }
  if (is_unsealed_memory(inode, sb)) {
    decision->reason = DIGLIM_REASON_UNSEALED;
    return;
  }
  if (inode->i_size > MAX_HASHED_SIZE) {
    decision->reason = DIGLIM_REASON_HASH;
    decision->detail = -EFBIG;
    return;
  }
  decision->writes = *(volatile u64 *)&note->writes;
  if (has_writer(inode)) {
    decision->reason = DIGLIM_REASON_WRITER;
    return;
  }
  if (take_cached(inode, note, generation, header, decision)) {
    __sync_fetch_and_add(&diglim_counters.cached, 1);
    return;
  }
  __builtin_memset(decision->digest, 0, sizeof(decision->digest));
  decision->flags = 0;
  decision->reason = 0;
  decision->algo = 0;

  read_cookie(inode, &cookie);
  __sync_fetch_and_add(&diglim_counters.hashed, 1);
  algo = hash_file(file, decision->digest, &now);
  if (algo < 0) {
    decision->reason = DIGLIM_REASON_HASH;
    decision->detail = algo;
    return;
  }
  /* Collected before we came, and never written since: that is true still. */
  if (!now && !(diglim_counts_all && decision->writes == 0)) {
    decision->reason = DIGLIM_REASON_STALE;
    return;
  }
  decision->algo = algo;
  if (algo != header->algo) {
    decision->reason = DIGLIM_REASON_ALGORITHM;
    decision->detail = algo;
    return;
  }
  judge(generation, header, decision);
  if (has_writer(inode) || *(volatile u64 *)&note->writes != decision->writes) {
    /* Nobody knows which bytes were hashed. */
    decision->reason = DIGLIM_REASON_CHANGED;
    return;
  }
  put_cached(note, &cookie, decision);
}

#endif
