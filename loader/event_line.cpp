// SPDX-License-Identifier: Apache-2.0
#include "loader/event_line.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/base/text.h"
#include "lib/crypto/hash.h"
#include "lib/events/reasons.h"

namespace diglim {
namespace {

// Indexed by the kernel's enum kernel_read_file_id and kernel_load_data_id, which agree.
constexpr std::string_view kKernelUses[] = {
    "data",   "firmware",          "module",           "kexec image", "kexec initramfs",
    "policy", "X.509 certificate", "compressed module"};

constexpr int kModule = 2;

constexpr std::string_view kGuards[] = {
    "",
    "open a BPF map of DIGLIM",
    "open a BPF program of DIGLIM",
    "load a BPF program that can overrule the kernel",
    "trace DIGLIM",
    "signal the keeper",
    "reach the mounts of kdevtmpfs, which hold DIGLIM",
    "limit the keeper",
    "switch off ftrace",
    "loader without rights: it is traced, filtered, shares its state or has breakpoints",
    "load an IMA policy",
    "change a manifest of what the loader trusts",
    "exchange content that was checked for what lies on the disk"};

template <size_t N>
std::string_view pick(const std::string_view (&names)[N], int index) {
  return index >= 0 && static_cast<size_t>(index) < N ? names[index] : "?";
}

std::string what(const diglim_event& event) {
  switch (event.kind) {
    case DIGLIM_KIND_EXEC:
      return "exec";
    case DIGLIM_KIND_MMAP:
      return "mmap";
    case DIGLIM_KIND_MPROTECT:
      return "mprotect";
    case DIGLIM_KIND_WRITE:
      return "write";
    case DIGLIM_KIND_KERNEL_READ:
    case DIGLIM_KIND_KERNEL_LOAD:
      return "load";
    default:
      return std::string(pick(kGuards, event.detail));
  }
}

// What stands in the hole of the reason's words (lib/events/reasons.h).
std::string hole(const diglim_event& event) {
  switch (event.reason) {
    case DIGLIM_REASON_HASH:
      return strerror(-event.detail);
    case DIGLIM_REASON_FILESYSTEM: {
      char magic[16];
      (void)snprintf(magic, sizeof(magic), "0x%x", static_cast<unsigned>(event.detail));  // cannot overflow
      return magic;
    }
    case DIGLIM_REASON_STORAGE: {
      const auto device = static_cast<uint32_t>(event.detail);
      if (device == 0) return {};
      return " (device " + std::to_string(device >> 20) + ":" + std::to_string(device & 0xfffff) + ")";
    }
    default:
      return {};
  }
}

std::string why(const diglim_event& event) {
  if (event.reason == DIGLIM_REASON_MEMORY && event.kind == DIGLIM_KIND_KERNEL_LOAD &&
      event.detail == kModule)
    return std::string(unsigned_module_text());
  return reason_text(event.reason, hole(event));
}

}  // namespace

std::string event_path(const diglim_event& event) {
  std::string_view names(event.path, std::min<size_t>(event.path_bytes, sizeof(event.path)));
  std::vector<std::string_view> parts;
  while (!names.empty()) {
    const size_t end = std::min(names.find('\0'), names.size());
    parts.push_back(names.substr(0, end));
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  std::string path = event.path_cut != 0 ? "..." : "";
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) path.append("/").append(*part);
  return escape(path);
}

std::string event_line(const diglim_event& event) {
  std::string line = event.enforced != 0 ? "denied " : "would deny ";
  line += what(event);
  if (event.path_bytes > 0) line += " " + event_path(event);
  line += ": ";
  if (event.kind == DIGLIM_KIND_KERNEL_READ || event.kind == DIGLIM_KIND_KERNEL_LOAD) {
    // `detail` holds the use unless the reason needed it.
    switch (event.reason) {
      case DIGLIM_REASON_HASH:
      case DIGLIM_REASON_ALGORITHM:
      case DIGLIM_REASON_FILESYSTEM:
      case DIGLIM_REASON_STORAGE:
        break;
      default:
        line += std::string(pick(kKernelUses, event.detail)) + ": ";
    }
  }
  line += why(event);
  const auto algo = hash_from_kernel(event.algo);
  if (event.digest_size > 0 && algo) {
    line += "; " + std::string(hash_name(*algo)) + ":" + to_hex(ByteView(event.digest, hash_size(*algo)));
  }
  line += "; pid " + std::to_string(event.pid) + " uid " + std::to_string(event.uid) + " command " +
          escape(std::string_view(event.command, strnlen(event.command, sizeof(event.command))));
  return line;
}

}  // namespace diglim
