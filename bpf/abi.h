/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What the BPF programs and the loader share: the layout of maps, events and constants. The only such header.
 *
 * All integers are in host byte order: both sides run on one machine and nothing here is stored on disk.
 * A change of any layout raises DIGLIM_ABI_VERSION; the loader refuses to work with programs of another version.
 */
#ifndef DIGLIM_BPF_ABI_H
#define DIGLIM_BPF_ABI_H

#include <linux/types.h>

#define DIGLIM_ABI_VERSION 9

/* Names of our maps and programs start with this, and nobody but the loader may create or open such a map or program
 * while DIGLIM enforces (guard.bpf.h), so a name found by walking the kernel's ids cannot be forged.
 */
#define DIGLIM_NAME_PREFIX "diglim"

enum diglim_mode {
  DIGLIM_MODE_ENFORCE = 0, /* zero denies: what is left unset fails closed */
  DIGLIM_MODE_PERMISSIVE = 1,
  DIGLIM_MODE_MEASURE = 2, /* files are denied only where IMA could not measure them; DIGLIM itself is guarded */
};

/* --- Monitor mode ------------------------------------------------------------------------------------------------- */
/* Who may begin it (constant diglim_monitor). */
enum diglim_monitor {
  DIGLIM_MONITOR_OFF = 0,    /* nobody */
  DIGLIM_MONITOR_SIGNED = 1, /* whoever has a statement that a trusted key signed */
  DIGLIM_MONITOR_ROOT = 2,   /* root, without one too */
};
#define DIGLIM_MONITOR_SECONDS 28800 /* the most at once: the programs take no notice of a later end */
#define DIGLIM_MONITOR_REASON 96
#define DIGLIM_BOOT_ID 36 /* characters of /proc/sys/kernel/random/boot_id */

/* --- The digest table -------------------------------------------------------------------------------------------
 *
 * One generation is one frozen array map of 256-byte elements:
 *   element 0                 struct diglim_generation
 *   elements 1 .. buckets     struct diglim_bucket, the table
 *   the rest                  whose the slots are, and which lists are loaded (only the loader reads it: lib/generation/FORMAT.md)
 *
 * A digest is already uniformly random, so its bytes choose its two buckets:
 *   bucket A = u32 at byte 0 * buckets >> 32, bucket B = u32 at byte 4 * buckets >> 32
 * A slot holds the first 32 bytes of a digest; a shorter one is padded with zeros. It is empty if its first eight bytes are zeros; the rest
 * are, too, then.
 */
#define DIGLIM_SLOT_SIZE 32
#define DIGLIM_SLOTS 8

struct diglim_bucket {
  __u64 slots[DIGLIM_SLOTS][DIGLIM_SLOT_SIZE / 8];
};

struct diglim_generation {
  __u32 abi_version;
  __u32 algo;         /* enum hash_algo of every digest in the table */
  __u64 number;       /* counts publications, from 1 */
  __u64 last_removal; /* number of the newest generation that lacks a digest which its predecessor had */
  __u32 buckets;
  __u32 digests; /* distinct ones */
  __u32 lists;
  __u32 registry_bytes;
  __u64 loaded_at; /* seconds since 1970 by the clock of then, for people only */
  /* The manifest that was measured last (lib/manifest/FORMAT.md); 0: nothing is measured. */
  __u64 manifest_number;
  __u8 manifest_hash[32];
  __u32 shared;     /* how often a list names a digest whose slot is another list's */
  __u32 deny_bytes; /* of the deny lists, behind these */
  /* Monitor mode: until then what is unknown runs, and is logged. Each later generation of the boot has the same. */
  __u32 monitors;                             /* how often it was begun in this boot */
  __u32 grant_bytes;                          /* of the granted keys, at the end */
  __u64 monitor_until;                        /* ns since the boot (CLOCK_BOOTTIME); 0: it never was begun, or it was ended */
  char monitor_reason[DIGLIM_MONITOR_REASON]; /* printable, padded with zeros */
  __u8 reserved[48];
};

/* --- Digests with a meaning of their own (map diglim_flags: slot -> flags) ------------------------------------- */
struct diglim_digest_key {
  __u64 slot[DIGLIM_SLOT_SIZE / 8];
};
#define DIGLIM_FLAG_LOADER 1u /* may write our maps while it runs (decision D8) */

/* --- Measurement ----------------------------------------------------------------------------------------------- */
#define DIGLIM_NEVER "diglim_never"  /* the AppArmor profile that no process has */
#define DIGLIM_NEVER_ROLE "object_r" /* the role of SELinux that files have, not processes */
#define DIGLIM_NEVER_ROLE_VALUE 1    /* its number in every policy: OBJECT_R_VAL, security/selinux/ss/policydb.h */

/* Whose labels IMA's rules have. */
enum diglim_labels {
  DIGLIM_LABELS_NONE = 0, /* nobody's: everything is measured */
  DIGLIM_LABELS_APPARMOR = 1,
  DIGLIM_LABELS_SELINUX = 2,
};

#define DIGLIM_STEERED_TASKS 65536 /* a power of two */

/* --- Events (ring buffer diglim_events) -------------------------------------------------------------------------- */
enum diglim_kind {
  DIGLIM_KIND_EXEC = 1,
  DIGLIM_KIND_MMAP = 2,
  DIGLIM_KIND_MPROTECT = 3,
  DIGLIM_KIND_WRITE = 4,       /* opening for write what is mapped executable */
  DIGLIM_KIND_KERNEL_READ = 5, /* module, firmware, kexec from a file; detail = enum kernel_read_file_id */
  DIGLIM_KIND_KERNEL_LOAD = 6, /* the same from memory; detail = enum kernel_load_data_id */
  DIGLIM_KIND_GUARD = 7,       /* an attempt on DIGLIM itself; detail = enum diglim_guard */
};

/* 2 is free. */
enum diglim_reason {
  DIGLIM_REASON_UNKNOWN = 1,       /* no loaded list has this digest */
  DIGLIM_REASON_HASH = 3,          /* the kernel could not hash it; detail = errno; EINTR: the process was killed meanwhile */
  DIGLIM_REASON_ALGORITHM = 4,     /* IMA collected it by another algorithm than the table's; detail = enum hash_algo */
  DIGLIM_REASON_WRITER = 5,        /* somebody has it open for writing */
  DIGLIM_REASON_CHANGED = 6,       /* it was written while it was hashed */
  DIGLIM_REASON_FILESYSTEM = 7,    /* content can change behind the inode; detail = low 32 bits of s_magic */
  DIGLIM_REASON_UNSEALED = 8,      /* memfd or shared memory that is not sealed against writing */
  DIGLIM_REASON_NOT_VERIFIED = 9,  /* mprotect to executable of what was never mapped executable */
  DIGLIM_REASON_MAPPED = 10,       /* it is mapped executable: writing would change running code */
  DIGLIM_REASON_MEMORY = 11,       /* not from a file, so nothing to hash */
  DIGLIM_REASON_PROTECTED = 12,    /* guards */
  DIGLIM_REASON_NO_STORAGE = 13,   /* the kernel had no memory for our note about the file or the task */
  DIGLIM_REASON_STALE = 14,        /* the kernel gives only the digest that IMA collected, perhaps of older content */
  DIGLIM_REASON_OTHER_KERNEL = 15, /* a known kernel for kexec, which could be started without DIGLIM */
  DIGLIM_REASON_PINNED = 16,       /* it was mapped shared and writable, so somebody may still write to its pages: a copy counts */
  DIGLIM_REASON_STORAGE = 17,      /* its file system lies on no disk (DIGLIM_DISKS); detail = kernel dev_t, 0: on none */
};

enum diglim_guard {
  DIGLIM_GUARD_MAP = 1,
  DIGLIM_GUARD_PROG = 2,
  DIGLIM_GUARD_PROG_LOAD = 3,
  DIGLIM_GUARD_PTRACE = 4,
  DIGLIM_GUARD_KILL = 5,
  DIGLIM_GUARD_HIDDEN = 6, /* a way into the mount namespace that holds the links (hold.bpf.h) */
  DIGLIM_GUARD_LIMIT = 7,  /* resource limits of the keeper */
  DIGLIM_GUARD_FTRACE = 8,
  DIGLIM_GUARD_MARK = 9, /* the loader was started traced, filtered by seccomp or sharing state: no rights given */
  DIGLIM_GUARD_IMA_POLICY = 10,
  DIGLIM_GUARD_MANIFEST = 11,
  DIGLIM_GUARD_CONTENT = 12, /* exchanging what lies in the page cache for what lies on the disk */
};

#define DIGLIM_EVENT_TEXT 2048    /* a power of two: where the last component of `text` may begin */
#define DIGLIM_EVENT_PATH 1024    /* the same for those of the path */
#define DIGLIM_EVENT_CGROUP 256   /* and, counted from where the path ends, of the cgroup */
#define DIGLIM_NAME_MAX 256       /* one component with its NUL */
#define DIGLIM_NOBODY 0xffffffffu /* auid, session: never set */

struct diglim_event {
  __u16 version;    /* DIGLIM_ABI_VERSION */
  __u8 kind;        /* enum diglim_kind */
  __u8 reason;      /* enum diglim_reason; 0: it was allowed, for the first time */
  __u8 enforced;    /* 1: it was denied; 0: permissive, it went on */
  __u8 digest_size; /* 0: there is no digest */
  __u16 algo;       /* enum hash_algo of digest */
  __s32 detail;     /* by kind and reason; 0 if there is none */
  __u32 pid;        /* thread group id */
  __u32 uid;
  __u32 path_bytes; /* used in text */
  __u64 generation; /* 0: none was published */
  __u64 inode;
  __u32 device;  /* kernel dev_t: major << 20 | minor */
  __u8 path_cut; /* 1: there were more components than were recorded */
  __u8 cgroup_cut;
  __u8 exe_cut;
  __u8 reserved;
  __u64 time;            /* CLOCK_BOOTTIME, nanoseconds */
  __u64 number;          /* counts the events of this boot from 1; a lost one has a number, too */
  __u64 dropped;         /* denials that found the ring buffer full before this one */
  __u64 dropped_allowed; /* the same of first executions */
  __u64 cgroup;          /* id; of the unified hierarchy */
  __u32 auid;            /* of the audit login; DIGLIM_NOBODY: none */
  __u32 session;
  __u32 parent;          /* thread group id */
  __u32 inner_pid;       /* pid, as its own pid namespace counts */
  __u32 pid_namespace;   /* inode number, as /proc/PID/ns shows it; 0: not known */
  __u32 mount_namespace; /* the same */
  __u32 mount;           /* of the path, as /proc/PID/mountinfo numbers it; 0: not known */
  __u32 cgroup_bytes;    /* used in text, behind the path */
  __u32 exe_bytes;       /* behind the cgroup: the file that the process executes; 0: a thread of the kernel */
  __u32 reserved_2;
  __u8 digest[64];
  char command[16];
  char parent_command[16];
  char file_system[16]; /* type, cut */
  /* Components of path, cgroup and executable, one after the other. Each from the file upwards, each component with its NUL, without "/":
   * the reader reverses them.
   */
  char text[DIGLIM_EVENT_TEXT + DIGLIM_NAME_MAX];
};

/* --- Who is the loader (map diglim_tasks: process id in the first pid namespace -> diglim_task) -------------------- */
struct diglim_task {
  __u64 start_time;   /* the process's start_boottime, so that a later one with its id gets nothing */
  __u64 exec_id;      /* self_exec_id of the image that is the loader */
  __u64 next_exec_id; /* of the one that will be if the exec that is under way succeeds; 0: none */
};
#define DIGLIM_ROLES 1024 /* entries; a power of two */

/* Others' LSM programs that could answer a hook with a positive number (constant diglim_lsm_answers). */
#define DIGLIM_ANSWERS_MAC 1u    /* by their return value */
#define DIGLIM_ANSWERS_CGROUP 2u /* those of a cgroup, by bpf_set_retval() */
#define DIGLIM_FREE_HOOKS 4

/* What the programs look at in each opening for write (diglim_writes), beside the note. */
#define DIGLIM_WRITES_COUNT_ALL 1u /* IMA may have collected files before we came: count also those that nobody runs */
#define DIGLIM_WRITES_MANIFEST 2u  /* the loader may be writing a manifest */
#define DIGLIM_WRITES_SWAP 4u      /* swapon(2) was called and may be opening the file; the programs set this */

/* How the programs recognize a file that a file system on top (overlayfs) opens (constant diglim_below). Its pages are mapped through the
 * file on top. Both kinds have FMODE_NOACCOUNT.
 */
enum diglim_below {
  DIGLIM_BELOW_NOT = 0,     /* not at all: the kernel has the hook mmap_backing_file */
  DIGLIM_BELOW_BY_PATH = 1, /* it has the path of the one on top (up to 6.4) */
  DIGLIM_BELOW_BY_MODE = 2, /* it has a flag in f_mode, of which two are in use */
};

/* --- Storage ------------------------------------------------------------------------------------------------------
 *
 * Names of block devices begin with what their driver is called (gendisk.disk_name). The first are those of disks, the second are made of
 * other devices. Loop, ram, zram, nbd, ublk, rbd are in neither. A name does not prove a disk: iSCSI, NVMe over fabrics, scsi_debug and
 * null_blk look like one (docs/limitations.md). At most six letters.
 */
#define DIGLIM_DISKS(USE) USE("sd") USE("vd") USE("nvme") USE("mmcblk") USE("xvd") USE("sr") USE("hd") USE("dasd") USE("pmem")
#define DIGLIM_COMPOSED_DISKS(USE) USE("dm-") USE("md")

/* --- Counters of what the programs saw (in .bss) -------------------------------------------------------------- */
enum diglim_outcome {
  DIGLIM_OUTCOME_KNOWN = 0,
  DIGLIM_OUTCOME_DENIED = 1,
  DIGLIM_OUTCOME_PASSED = 2, /* not known, and it went on: permissive, or measured */
};
#define DIGLIM_OUTCOMES 3
#define DIGLIM_KINDS 8 /* above each enum diglim_kind; a power of two */

struct diglim_counters {
  __u64 dropped_events; /* denials that found the ring buffer full */
  __u64 hashed;         /* files hashed */
  __u64 denied;         /* or would have been, when permissive */
  __u64 hashed_bytes;   /* of files that the kernel could hash */
  /* What was decided, by enum diglim_kind. Where a stored verdict holds nothing is decided, and nothing is counted. */
  __u64 decided[DIGLIM_KINDS][DIGLIM_OUTCOMES];
  __u64 events;     /* numbers given to events */
  __u64 dropped[8]; /* events that found the ring buffer full, by enum diglim_kind; [0]: first executions that were allowed */
};

/* --- The keeper (program diglim_keep, keeper.bpf.h) ---------------------------------------------------------------- */
#define DIGLIM_LEASE_NS 6000000000ULL /* whoever has not renewed for so long is not the keeper any more */

/* What diglim_keep is asked, and what it answers. Its status: 0, or -EBUSY (somebody else is), -EPERM (in a pid namespace). */
struct diglim_keep_request {
  __u32 claim;  /* 1: be the keeper, or renew; 0: only ask */
  __u32 pid;    /* of the last one, in the first pid namespace; 0: there was none */
  __u64 age_ns; /* since it renewed */
  /* For what has an end: a time namespace shows its processes another clock. */
  __u64 boot_ns;       /* CLOCK_BOOTTIME */
  __u64 monitor_until; /* of the generation in force; 0: there is none */
  __u32 is_inner;      /* 1: who asks is in a pid namespace, so that his process ids mean nothing outside */
  __u32 unused;
};

/* --- What the keeper made of the events (map diglim_log, element 0; only the keeper writes it) ----------------- */
struct diglim_log_counters {
  __u64 logged;      /* denials with a line in the kernel log */
  __u64 not_logged;  /* denials without one, since there were too many of them */
  __u64 not_written; /* denials whose line the kernel log did not take */
  __u64 restarts;    /* times that a keeper took the place of one that was gone */
  __s32 write_error; /* errno of the last line, if the log did not take it; 0: it did */
  __u32 reader;      /* 1: a process in user space reads whole events (lib/events/stream.h) */
  __u64 sent;        /* events that it was given */
  __u64 unsent;      /* events that nobody is given any more: nobody read, or not fast enough */
  __u64 kept;        /* events that wait for it in the keeper */
};

#ifdef __cplusplus
#define DIGLIM_ASSERT static_assert
#else
#define DIGLIM_ASSERT _Static_assert
#endif
DIGLIM_ASSERT(sizeof(struct diglim_bucket) == 256, "element size");
DIGLIM_ASSERT(sizeof(struct diglim_generation) == 256, "element size");
DIGLIM_ASSERT(sizeof(struct diglim_event) == 128 + 64 + 3 * 16 + DIGLIM_EVENT_TEXT + DIGLIM_NAME_MAX, "no hidden padding");
DIGLIM_ASSERT(__builtin_offsetof(struct diglim_event, digest) == 128, "no hidden padding");
DIGLIM_ASSERT(sizeof(struct diglim_task) == 24, "no hidden padding");

#endif
