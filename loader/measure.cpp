// SPDX-License-Identifier: Apache-2.0
#include "loader/measure.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>

#include "bpf/abi.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "loader/hand_over.h"
#include "loader/kernel/programs.h"
#include "policy/command_line.h"

namespace diglim {
namespace {

constexpr char kPolicyFile[] = "/sys/kernel/security/ima/policy";
constexpr char kCountFile[] = "/sys/kernel/security/ima/runtime_measurements_count";
constexpr size_t kMaxLoader = 64u << 20;

Result<Bytes> sha256(ByteView bytes) {
  return hash(HashAlgo::kSha256, {bytes});
}

// Up to 6.9 IMA's memory of files was an LSM of its own, which lsm= may leave out
// (security/integrity/iint.c).
bool lacks_integrity() {
  utsname system = {};
  int major = 0;
  int minor = 0;
  if (uname(&system) != 0 || std::sscanf(system.release, "%d.%d", &major, &minor) != 2) return false;
  if (major > 6 || (major == 6 && minor > 9)) return false;
  const auto line = read_stream("/proc/cmdline", 1 << 16);
  if (!line) return false;
  const auto modules = split_kernel_line(as_text(*line)).value("lsm");
  return modules && !has_item(*modules, "integrity");
}

Result<uint64_t> ima_event_count() {
  TRY_ASSIGN(const Bytes content, read_stream(kCountFile, 64));
  const std::string_view text = trim(as_text(content));
  uint64_t count = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), count).ec != std::errc())
    return corrupt(0, std::string(kCountFile) + ": not a number");
  return count;
}

}  // namespace

bool ima_was_active() {
  const auto line = read_stream("/proc/cmdline", 1 << 16);
  const auto count = ima_event_count();
  if (!line || !count) return true;
  for (const std::string_view word : {"ima_policy=", "ima_tcb", "ima_appraise_tcb"}) {
    if (as_text(*line).find(word) != std::string_view::npos) return true;
  }
  return *count > 1;  // one is boot_aggregate; more come from rules that the kernel was built with
}

Result<Fd> open_ima_policy() {
  if (lacks_integrity()) {
    return unsupported(
        "lsm= on the kernel command line lacks \"integrity\", without which this kernel panics at the first "
        "file that IMA measures");
  }
  return open_file(kPolicyFile, O_WRONLY);
}

Result<void> write_ima_policy(std::string_view text) {
  TRY_ASSIGN(Fd policy, open_ima_policy());
  return write_ima_policy(std::move(policy), text);
}

Result<void> write_ima_policy(Fd policy, std::string_view text) {
  while (!text.empty()) {
    // The kernel takes one rule of what it is given, and the position in the file stays 0.
    const ssize_t taken = write(policy.get(), text.data(), text.size());
    if (taken <= 0) return from_errno(std::string("write ") + kPolicyFile, taken < 0 ? errno : EIO);
    text.remove_prefix(std::min(static_cast<size_t>(taken), text.size()));
  }
  return {};  // it counts from the moment its file is closed
}

Result<WrittenManifest> measured_manifest(const Config& config, std::string_view policy,
                                          const TrustStore& trust, const Generation& generation) {
  BootCode code;
  TRY_ASSIGN(code.policy_hash, sha256(as_bytes(policy)));
  TRY_ASSIGN(const Bytes loader, read_file("/proc/self/exe", kMaxLoader));
  TRY_ASSIGN(code.loader_hash, sha256(loader));
  for (const auto& [name, object] : program_objects()) {
    TRY_ASSIGN(Bytes digest, sha256(object));
    code.programs.push_back({name, std::move(digest)});
  }
  TRY_ASSIGN(Manifest manifest, boot_manifest(config, trust, generation, std::move(code)));
  WrittenManifest written;
  written.number = manifest.number;
  TRY_ASSIGN(written.content, write_manifest(std::move(manifest)));
  TRY_ASSIGN(written.hash, manifest_hash(written.content));
  return written;
}

Result<FileId> write_manifest_file(const WrittenManifest& manifest) {
  const std::string path = manifest_path(manifest.number);
  (void)mkdir(kRunFolder, 0755);  // exists already, or the open says what is wrong
  (void)unlink(path.c_str());     // of a loader that was killed: a new file has nothing measured yet
  TRY_ASSIGN(const Fd file, open_file(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOATIME, 0444));
  for (ByteView rest = manifest.content; !rest.empty();) {
    const ssize_t written = write(file.get(), rest.data(), rest.size());
    if (written <= 0) return from_errno("write " + path, written < 0 ? errno : EIO);
    rest = rest.subspan(static_cast<size_t>(written));
  }
  struct stat info = {};
  if (fstat(file.get(), &info) != 0) return from_errno("stat " + path, errno);
  return FileId{info.st_dev, info.st_ino};
}

Result<void> measure_manifest(uint64_t number, const FileId& wanted) {
  const std::string path = manifest_path(number);
  TRY_ASSIGN(const Fd file, open_file(path, O_RDONLY | O_NOFOLLOW));
  struct stat info = {};
  struct statfs system = {};
  if (fstat(file.get(), &info) != 0 || fstatfs(file.get(), &system) != 0)
    return from_errno("stat " + path, errno);
  if (wanted.inode != 0 && (info.st_ino != wanted.inode || info.st_dev != wanted.device))
    return invalid(path + ": somebody replaced it before it was measured; try again");
  if (system.f_type != TMPFS_MAGIC)
    return unsupported(path + ": IMA's rule for manifests needs /run to be a tmpfs");
  // The mapping is what IMA measures. On a file system that is mounted noexec the kernel refuses it after
  // that.
  void* at = mmap(nullptr, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, file.get(), 0);
  if (at == MAP_FAILED) {
    struct statvfs mounted = {};
    const int error = errno;
    if (fstatvfs(file.get(), &mounted) != 0 || (mounted.f_flag & ST_NOEXEC) == 0)
      return from_errno("map " + path, error);
    return {};
  }
  (void)munmap(at, 1);  // cannot fail for a range that mmap gave
  return {};
}

Result<void> measure_boot_manifest(const WrittenManifest& manifest) {
  TRY_ASSIGN(const FileId file, write_manifest_file(manifest));
  TRY_ASSIGN(const uint64_t before, ima_event_count());
  TRY(measure_manifest(manifest.number, file));
  TRY_ASSIGN(const uint64_t after, ima_event_count());
  if (before == after)
    return Error{ErrorCode::kIo, EIO, "IMA did not measure " + manifest_path(manifest.number)};
  return {};
}

}  // namespace diglim
