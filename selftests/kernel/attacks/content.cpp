// SPDX-License-Identifier: Apache-2.0
// Attacks with content: code that no list names, on every way into a process or into the kernel.
//
// Goal: run what is unknown.
// Expected: EPERM and an event with the reason; what is known and cannot change still runs.
#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "selftests/kernel/attacks/attack.h"

namespace attacks {
namespace {

constexpr char kUnknown[] = "not on any digest list";
constexpr char kUnsealed[] = "not sealed against writing";
constexpr char kNotVerified[] = "without having been mapped executable";
constexpr char kMemory[] = "not from a file";

std::string unknown_file(const std::vector<uint8_t>& bytes) {
  const std::string path = scratch() + "/victim";
  (void)put(path, bytes);
  return path;
}

Report exec_unknown() {
  return judge_run(run({unknown_file(tiny_elf(kUnknownCode))}), EPERM);
}

Report exec_again() {
  const std::string path = unknown_file(tiny_elf(kUnknownCode));
  (void)run({path});
  return judge_run(run({path}), EPERM);
}

Report exec_script() {
  const std::string text = "#!/bin/busybox sh\nexit 77\n";
  return judge_run(run({unknown_file({text.begin(), text.end()})}), EPERM);
}

// The last byte is of no use to the program, so a changed one runs the same.
Report exec_changed() {
  auto bytes = get(known("script"));
  bytes[bytes.size() - 2] = '9';
  const int result = run({unknown_file(bytes)});
  if (result == 49) return allowed("a script of which one byte was changed ran");
  return judge_run(result, EPERM);
}

Report exec_appended() {
  auto bytes = get(known("elf"));
  bytes.push_back(0);
  const int result = run({unknown_file(bytes)});
  if (result == kKnownCode) return allowed("a program with one byte more ran");
  return judge_run(result, EPERM);
}

Report exec_known() {
  const int result = run({known_copy("elf", false)});
  return result == kKnownCode ? allowed("known content runs at any path") : refused("exec", -result, 0);
}

int memfd_with(const std::vector<uint8_t>& bytes, unsigned flags, int seals) {
  const int fd = memfd_create("victim", flags);
  if (fd < 0 || write(fd, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) return -1;
  if (seals != 0 && fcntl(fd, F_ADD_SEALS, seals) != 0) return -1;
  return fd;
}

// Its descriptor can write without counting as a writer, so even known content says nothing about what runs.
Report exec_memfd() {
  const Fd fd(memfd_with(get(known("elf")), 0, 0));
  if (!fd) return not_tried("memfd_create", errno);
  const int result = run_fd(fd.get());
  return result == kKnownCode ? allowed("an unsealed memfd ran") : judge_run(result, EPERM);
}

Report exec_memfd_unknown() {
  const Fd fd(
      memfd_with(tiny_elf(kUnknownCode), MFD_ALLOW_SEALING, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW));
  if (!fd) return not_tried("memfd_create", errno);
  return judge_run(run_fd(fd.get()), EPERM);
}

Report exec_memfd_sealed() {
  const Fd fd(memfd_with(get(known("elf")), MFD_ALLOW_SEALING, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW));
  if (!fd) return not_tried("memfd_create", errno);
  const int result = run_fd(fd.get());
  if (result != kKnownCode) return refused("exec", -result, 0);
  if (pwrite(fd.get(), "\x4d", 1, kElfCodeAt) == 1)
    return {Outcome::kOtherReason, "it could be written afterwards"};
  return allowed("it ran, and nobody can write to it");
}

// Without F_SEAL_SHRINK a sealed memfd can be cut and grown again: its end is zeros then, whatever was
// verified.
Report exec_memfd_cut() {
  const auto bytes = get(known("elf"));
  const Fd fd(memfd_with(bytes, MFD_ALLOW_SEALING, F_SEAL_WRITE));
  if (!fd) return not_tried("memfd_create", errno);
  if (const int result = run_fd(fd.get()); result != kKnownCode) return judge_run(result, EPERM);
  const std::string path = "/proc/self/fd/" + std::to_string(fd.get());
  for (int i = 0; i < 200; ++i) {  // until the cut happens in the tick of the inode's last change
    if (ftruncate(fd.get(), kElfCodeAt + 2) != 0) return refused("ftruncate", errno, EPERM);
    if (ftruncate(fd.get(), static_cast<off_t>(bytes.size())) != 0) return refused("ftruncate", errno, EPERM);
    if (const int result = run_fd(fd.get()); result >= 0) return allowed("it ran with its end cut off");
  }
  return refused("exec", EPERM, EPERM);
}

Report exec_fexecve() {
  const Fd fd(open(unknown_file(tiny_elf(kUnknownCode)).c_str(), O_PATH));
  return judge_run(run_fd(fd.get()), EPERM);
}

Report exec_tmpfile() {
  Fd fd(open(scratch().c_str(), O_TMPFILE | O_RDWR, 0755));
  if (!fd) return not_tried("O_TMPFILE", errno);
  const auto bytes = tiny_elf(kUnknownCode);
  (void)!write(fd.get(), bytes.data(), bytes.size());
  const Fd again(open(("/proc/self/fd/" + std::to_string(fd.get())).c_str(), O_RDONLY));
  fd = Fd();
  return judge_run(run_fd(again.get()), EPERM);
}

Report exec_interpreter() {
  const std::string interpreter = unknown_file(tiny_elf(kUnknownCode));
  const std::string text = "#!" + interpreter + "\n";
  return judge_run(run({unknown_file({text.begin(), text.end()})}), EPERM);
}

Report exec_known_on_tmpfs() {
  const std::string folder = scratch();
  if (mount("tmpfs", folder.c_str(), "tmpfs", 0, nullptr) != 0) return not_tried("mount tmpfs", errno);
  (void)put(folder + "/elf", get(known("elf")));
  const int result = run({folder + "/elf"});
  (void)umount2(folder.c_str(), MNT_DETACH);
  return result == kKnownCode ? allowed("known content runs on another file system")
                              : refused("exec", -result, 0);
}

// Its files are others' files: what was hashed may not be what is read next.
Report exec_overlay() {
  const std::string folder = scratch();
  for (const char* name : {"/lower", "/upper", "/work", "/all"}) (void)mkdir((folder + name).c_str(), 0755);
  (void)put(folder + "/lower/elf", tiny_elf(kUnknownCode));
  const std::string options =
      "lowerdir=" + folder + "/lower,upperdir=" + folder + "/upper,workdir=" + folder + "/work";
  if (mount("overlay", (folder + "/all").c_str(), "overlay", 0, options.c_str()) != 0) {
    return not_tried("mount overlay", errno);
  }
  const int result = run({folder + "/all/elf"});
  (void)umount2((folder + "/all").c_str(), MNT_DETACH);
  return judge_run(result, EPERM);
}

Report mmap_unknown() {
  return judge_map(map_and_call(unknown_file(code_page(kUnknownCode))), EPERM);
}

Report mmap_shared() {
  const Fd fd(open(unknown_file(code_page(kUnknownCode)).c_str(), O_RDONLY));
  void* page = map_page(fd.get(), PROT_READ | PROT_EXEC, MAP_SHARED);
  return judge_map(page != nullptr ? call(page) : -errno, EPERM);
}

Report mprotect_later(const std::string& path) {
  const Fd fd(open(path.c_str(), O_RDONLY));
  void* page = map_page(fd.get(), PROT_READ);
  if (page == nullptr) return not_tried("mmap", errno);
  if (mprotect(page, 4096, PROT_READ | PROT_EXEC) != 0) return refused("mprotect", errno, EPERM);
  return call(page) >= 0 ? allowed("it became executable") : refused("call", EFAULT, EPERM);
}

Report mprotect_unknown() {
  return mprotect_later(unknown_file(code_page(kUnknownCode)));
}
Report mprotect_not_verified() {
  return mprotect_later(known_copy("page", false));
}
Report mprotect_verified() {
  const std::string path = known_copy("page", false);
  if (const int answer = map_and_call(path); answer != kKnownCode) return refused("mmap", -answer, 0);
  return mprotect_later(path);
}

Report read_implies_exec() {
  if (personality(READ_IMPLIES_EXEC) == -1) return not_tried("personality", errno);
  const Fd fd(open(unknown_file(code_page(kUnknownCode)).c_str(), O_RDONLY));
  void* page = map_page(fd.get(), PROT_READ);
  return judge_map(page != nullptr ? call(page) : -errno, EPERM);
}

Report shm_exec() {
  const int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0700);
  if (id < 0) return not_tried("shmget", errno);
  void* writable = shmat(id, nullptr, 0);
  const auto page = code_page(kUnknownCode);
  if (writable == reinterpret_cast<void*>(-1)) return not_tried("shmat", errno);
  memcpy(writable, page.data(), page.size());
  void* at = shmat(id, nullptr, SHM_EXEC | SHM_RDONLY);
  const int error = errno;
  (void)shmctl(id, IPC_RMID, nullptr);
  return judge_map(at != reinterpret_cast<void*>(-1) ? call(at) : -error, EPERM);
}

void unload_module() {
  (void)syscall(SYS_delete_module, "dummy", O_NONBLOCK);
}

Report module_from(const std::vector<uint8_t>& bytes, bool from_memory) {
  if (bytes.empty()) return not_tried("no module " + std::string(kBase) + "/dummy.ko");
  unload_module();
  long result = 0;
  if (from_memory) {
    result = syscall(SYS_init_module, bytes.data(), bytes.size(), "");
  } else {
    const Fd fd(open(unknown_file(bytes).c_str(), O_RDONLY));
    result = syscall(SYS_finit_module, fd.get(), "", 0);
  }
  const int error = errno;
  unload_module();
  return result == 0 ? allowed("the module was loaded") : refused("load the module", error, EPERM);
}

std::vector<uint8_t> module_bytes() {
  return get(std::string(kBase) + "/dummy.ko");
}

Report module_unknown() {
  return module_from(module_bytes(), false);
}
Report module_from_memory() {
  return module_from(module_bytes(), true);
}
Report module_changed() {
  auto bytes = get(known("known.ko"));
  if (!bytes.empty()) bytes.push_back(0);
  return module_from(bytes, false);
}
Report module_known() {
  return module_from(get(known("known.ko")), false);
}

Report kexec_from_memory() {
  // No segment: unloads what is loaded, after the same question.
  if (syscall(SYS_kexec_load, 0, 0, nullptr, KEXEC_ARCH_DEFAULT) == 0) return allowed("kexec_load works");
  return refused("kexec_load", errno, EPERM);
}

Report kexec_from(const std::string& path) {
  const Fd fd(open(path.c_str(), O_RDONLY));
  if (syscall(SYS_kexec_file_load, fd.get(), -1, 1UL, "", KEXEC_FILE_NO_INITRAMFS) == 0)
    return allowed("loaded");
  if (errno == ENOEXEC) return allowed("the image was read, and refused only for its format");
  return refused("kexec_file_load", errno, EPERM);
}

Report kexec_unknown() {
  return kexec_from(unknown_file(tiny_elf(kUnknownCode)));
}
// It could be told by its command line to start without DIGLIM.
Report kexec_known() {
  return kexec_from(known("elf"));
}

// Through the kernel's own test driver, which asks for what it is told to.
Report firmware(const std::vector<uint8_t>& bytes) {
  (void)mkdir("/lib/firmware", 0755);
  if (!put("/lib/firmware/attack", bytes, 0644)) return not_tried("write /lib/firmware/attack", errno);
  if (write_text("/sys/devices/virtual/misc/test_firmware/trigger_request", "attack"))
    return allowed("the driver has it");
  return refused("request the firmware", errno, EPERM);
}
Report firmware_unknown() {
  return firmware(tiny_elf(kUnknownCode));
}
Report firmware_known() {
  return firmware(get(known("elf")));
}

constexpr Attack kAttacks[] = {
    {"exec-unknown", kAll, kUnknown, exec_unknown, "a static program that no list names"},
    {"exec-again", kAll, kUnknown, exec_again, "an unlisted program, a second time"},
    {"exec-script", kAll, kUnknown, exec_script, "an unknown script with a known interpreter"},
    {"exec-interpreter", kAll, kUnknown, exec_interpreter, "a script with an unknown interpreter"},
    {"exec-changed", kAll, kUnknown, exec_changed, "a known script with one byte changed"},
    {"exec-appended", kAll, kUnknown, exec_appended, "a known program with one byte more"},
    {"exec-known", kAll | kHarmless, nullptr, exec_known, "a copy of a known program"},
    {"exec-memfd", kAll, kUnsealed, exec_memfd, "known content in an unsealed memfd"},
    {"exec-memfd-unknown", kAll, kUnknown, exec_memfd_unknown, "unknown content in a sealed memfd"},
    {"exec-memfd-sealed", kAll | kHarmless, nullptr, exec_memfd_sealed, "known content in a sealed memfd"},
    {"exec-memfd-cut", kAll, kUnsealed, exec_memfd_cut, "a memfd sealed against writing but not cutting"},
    {"exec-fexecve", kAll, kUnknown, exec_fexecve, "an unknown program by an O_PATH descriptor"},
    {"exec-tmpfile", kAll, kUnknown, exec_tmpfile, "an unknown program without a name (O_TMPFILE)"},
    {"exec-known-tmpfs", kAll | kHarmless, nullptr, exec_known_on_tmpfs, "a known program on another tmpfs"},
    {"exec-overlay", kAll, "can change content unseen", exec_overlay, "an unknown program on overlayfs"},
    {"mmap-unknown", kAll, kUnknown, mmap_unknown, "unknown code mapped executable"},
    {"mmap-shared", kAll, kUnknown, mmap_shared, "unknown code mapped shared and executable"},
    {"mprotect-unknown", kAll, kNotVerified, mprotect_unknown, "unknown code made executable later"},
    {"mprotect-not-verified", kAll, kNotVerified, mprotect_not_verified,
     "known code made executable unverified"},
    {"mprotect-verified", kAll | kHarmless, nullptr, mprotect_verified,
     "known code made executable after a check"},
    {"read-implies-exec", kAll, kUnknown, read_implies_exec, "a plain mapping under READ_IMPLIES_EXEC"},
    {"shm-exec", kAll, kUnsealed, shm_exec, "shared memory attached executable"},
    {"module-unknown", kAll, kUnknown, module_unknown, "finit_module of an unknown module"},
    {"module-changed", kAll, kUnknown, module_changed, "finit_module of a known module with one byte more"},
    {"module-memory", kAll, kMemory, module_from_memory, "init_module"},
    {"module-known", kAll | kHarmless, nullptr, module_known, "finit_module of a known module"},
    {"firmware-unknown", kAll, kUnknown, firmware_unknown, "a driver asks for unknown firmware"},
    {"firmware-known", kAll | kHarmless, nullptr, firmware_known, "a driver asks for known firmware"},
    {"kexec-memory", kAll, kMemory, kexec_from_memory, "kexec_load"},
    {"kexec-file", kAll, kUnknown, kexec_unknown, "kexec_file_load of an unknown image"},
    {"kexec-known", kAll, "another kernel", kexec_known, "kexec_file_load of a known image"},
};

}  // namespace

std::span<const Attack> content_attacks() {
  return kAttacks;
}

}  // namespace attacks
