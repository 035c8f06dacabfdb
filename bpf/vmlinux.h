/* SPDX-License-Identifier: GPL-2.0-only */
/* The few kernel types that the programs read, with only the members that they read. Written by hand, so that nothing
 * comes from the build host's kernel; libbpf relocates every access to the running kernel (CO-RE).
 */
#ifndef DIGLIM_BPF_VMLINUX_H
#define DIGLIM_BPF_VMLINUX_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;

/* Newer kernels insert values, so programs ask for the running kernel's: bpf_core_enum_value(). */
enum kernel_read_file_id {
  READING_KEXEC_IMAGE = 3, /* include/linux/kernel_read_file.h */
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
  int counter;
} atomic_t;

struct rb_node {
  unsigned long __rb_parent_color;
};
struct rb_root {
  struct rb_node *rb_node;
};
struct rb_root_cached {
  struct rb_root rb_root;
};

struct kernfs_node;
struct rb_node___tree {
  struct rb_node___tree *rb_left;
  struct rb_node___tree *rb_right;
};
struct kernfs_elem_dir {
  struct rb_root children;
};
struct kernfs_elem_symlink {
  struct kernfs_node *target_kn;
};
/* A file or directory of sysfs, a directory of cgroups. */
struct kernfs_node {
  u64 id;
  const char *name;
  struct kernfs_node *parent; /* up to 6.14 */
  struct rb_node rb;
  struct kernfs_elem_dir dir;
  struct kernfs_elem_symlink symlink;
};
struct kernfs_node___v6_15 {
  struct kernfs_node *__parent;
};
struct kobject {
  struct kernfs_node *sd;
};
struct gendisk {
  char disk_name[32];
  struct kobject *slave_dir; /* "slaves": links to the devices that it is made of */
};
struct block_device {
  u32 bd_dev;
  struct gendisk *bd_disk;
};
struct file_system_type {
  const char *name;
};
struct super_block {
  u32 s_dev;
  struct file_system_type *s_type;
  struct block_device *s_bdev;
  unsigned long s_flags;
  unsigned long s_iflags;
  unsigned long s_magic;
  char s_id[32];
};

typedef struct {
  s64 counter;
} atomic64_t;
struct rw_semaphore {
  atomic64_t count; /* not with PREEMPT_RT */
};

struct address_space {
  struct rb_root_cached i_mmap;
  struct rw_semaphore i_mmap_rwsem;
};

struct inode {
  unsigned short i_mode;
  struct super_block *i_sb;
  struct address_space *i_mapping;
  unsigned long i_ino;
  unsigned int i_flags;
  void *i_private;
  s64 i_size;
  atomic_t i_writecount;
};
struct shmem_inode_info {
  unsigned int seals;
  struct inode vfs_inode;
};

struct qstr {
  const unsigned char *name;
};
struct dentry {
  struct dentry *d_parent;
  struct qstr d_name;
  struct inode *d_inode;
  struct super_block *d_sb;
};
struct vfsmount {
  struct dentry *mnt_root;
  struct super_block *mnt_sb;
};
struct ns_common {
  unsigned int inum;
};
struct mnt_namespace {
  struct ns_common ns;
};
struct mount {
  struct mount *mnt_parent;
  struct dentry *mnt_mountpoint;
  struct vfsmount mnt;
  struct mnt_namespace *mnt_ns;
  int mnt_id;
};
struct path {
  struct vfsmount *mnt;
  struct dentry *dentry;
};
struct file {
  struct path f_path;
  struct inode *f_inode;
  unsigned int f_mode;
  unsigned int f_flags;
};

struct linux_binprm {
  struct file *file;
  int unsafe;
};
struct anon_vma;
struct vm_area_struct {
  unsigned long vm_flags;
  struct file *vm_file;
  struct anon_vma *anon_vma; /* of private pages; null: there never was one */
};
struct mm_struct {
  unsigned long flags; /* up to 6.17 */
  unsigned long start_code;
  struct file *exe_file;
};
struct mm_flags {
  unsigned long __mm_flags[1];
};
struct mm_struct___v6_18 {
  struct mm_flags flags;
};

struct seccomp {
  int mode;
};
struct pid_namespace {
  struct ns_common ns;
};
struct upid {
  int nr;
  struct pid_namespace *ns;
};
struct pid {
  unsigned int level;     /* 0: in the first pid namespace */
  struct upid numbers[1]; /* level + 1 of them */
};
struct cgroup {
  struct kernfs_node *kn;
};
struct css_set {
  struct cgroup *dfl_cgrp; /* of the unified hierarchy */
};
typedef struct {
  u32 val;
} kuid_t;
struct nsproxy {
  struct mnt_namespace *mnt_ns;
};
typedef struct {
  unsigned long sig[1];
} sigset_t;
struct sigpending {
  sigset_t signal;
};
struct task_struct {
  int pid;
  int tgid;
  unsigned int flags;
  struct task_struct *real_parent;
  struct task_struct *group_leader;
  struct pid *thread_pid;
  char comm[16];
  struct nsproxy *nsproxy;
  struct css_set *cgroups;
  kuid_t loginuid; /* with CONFIG_AUDIT */
  u32 sessionid;   /* the same */
  u64 start_boottime;
  u64 self_exec_id;
  unsigned int ptrace;
  struct seccomp seccomp;
  struct mm_struct *mm;
  struct sigpending pending;
};
/* What user space had in its registers when it entered the kernel. */
struct pt_regs {
  unsigned long bx;
  unsigned long dx;
  unsigned long di;
  unsigned long orig_ax;
  unsigned long ip;
};
struct user_namespace {
  int level; /* 0: the first one */
};
struct iattr {
  unsigned int ia_valid;
};

struct bpf_map {
  char name[16];
};
struct bpf_prog_aux {
  u32 id;
  char name[16];
};
struct bpf_prog {
  u16 kprobe_override : 1;
  struct bpf_prog_aux *aux;
};

/* AppArmor's rule with a label: security/apparmor/audit.c, include/label.h, include/lib.h */
struct aa_policy {
  const char *hname;
};
struct aa_profile {
  struct aa_policy base;
};
struct aa_label {
  struct aa_profile *vec[1];
};
struct aa_audit_rule {
  struct aa_label *label;
};

/* SELinux's: security/selinux/ss/services.c, ss/context.h */
struct context {
  u32 role;
};
struct selinux_audit_rule {
  struct context au_ctxt;
};

struct cred;
struct kernel_siginfo;
struct mnt_idmap;
struct rlimit;

#pragma clang attribute pop

/* Kernel-internal constants (no UAPI header has them); each with the file that defines it. */
#define FMODE_WRITE 0x2                              /* include/linux/fs.h */
#define SB_KERNMOUNT (1UL << 22)                     /* include/linux/fs.h */
#define SB_I_IMA_UNVERIFIABLE_SIGNATURE 0x00000020UL /* include/linux/fs.h */
#define SB_I_UNTRUSTED_MOUNTER 0x00000040UL          /* include/linux/fs.h */
#define VM_EXEC 0x4UL                                /* include/linux/mm.h */
#define VM_SHARED 0x8UL
#define RWSEM_WRITER_LOCKED 1  /* kernel/locking/rwsem.c */
#define PTRACE_MODE_ATTACH 0x2 /* include/linux/ptrace.h */
#define PTRACE_MODE_NOAUDIT 0x4
#define SEND_SIG_PRIV 1UL     /* include/linux/sched/signal.h: a signal from the kernel itself */
#define SECCOMP_MODE_FILTER 2 /* include/uapi/linux/seccomp.h */
/* F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE: include/uapi/linux/fcntl.h */
#define IMMUTABLE_SEALS (0x2 | 0x4 | 0x8)
#define S_IFMT 00170000 /* include/uapi/linux/stat.h */
#define S_IFREG 0100000
#define PROC_SUPER_MAGIC 0x9fa0 /* include/uapi/linux/magic.h */
#define SECURITYFS_MAGIC 0x73636673
#define SYSFS_MAGIC 0x62656572
#define FMODE_NOACCOUNT (1 << 29)         /* include/linux/fs.h: opened by the kernel for itself */
#define FMODE_BACKING (1 << 24 | 1 << 25) /* include/linux/fs.h: the first from 6.12 on, the second from 6.5 on */
#define S_DAX (1 << 13)                   /* include/linux/fs.h */
#define ATTR_SIZE (1 << 3)                /* include/linux/fs.h */
#define MAP_SHARED 1                      /* include/uapi/linux/mman.h; also a bit of MAP_SHARED_VALIDATE */
#define MMF_HAS_UPROBES (1 << 19)         /* include/linux/sched/coredump.h, mm_types.h */
#define MMF_RECALC_UPROBES (1 << 20)
#define CAP_SYS_ADMIN 21           /* include/uapi/linux/capability.h */
#define PF_IO_WORKER 0x10          /* include/linux/sched.h */
#define X32_SYSCALL_BIT 0x40000000 /* arch/x86/include/uapi/asm/unistd.h */
#define MADV_HWPOISON 100          /* include/uapi/asm-generic/mman-common.h */
#define PROT_EXEC 0x4              /* include/uapi/asm-generic/mman-common.h */
#define O_NOATIME 01000000         /* include/uapi/asm-generic/fcntl.h */
#define AUDIT_SUBJ_ROLE 14         /* include/uapi/linux/audit.h */
#define SIGKILL 9
#define EPERM 1
#define ENOENT 2
#define EINTR 4
#define ENOMEM 12
#define EBUSY 16
#define EFBIG 27
#define ENODATA 61
#define ETXTBSY 26

#endif
