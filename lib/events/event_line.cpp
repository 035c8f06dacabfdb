// SPDX-License-Identifier: Apache-2.0
#include "lib/events/event_line.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/base/text.h"
#include "lib/crypto/hash.h"
#include "lib/events/event_id.h"
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

// What stands in the hole of the reason's words (lib/events/reasons.h).
std::string hole(const diglim_event& event) {
  switch (event.reason) {
    case DIGLIM_REASON_HASH:
      return event.detail == -EINTR ? std::string(kKilledWhileHashed) : strerror(-event.detail);
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

// The components between `begin` and `bytes` behind it, which are in the order of the kernel.
std::string joined(const diglim_event& event, size_t begin, size_t bytes, bool cut) {
  const std::string_view all(event.text, sizeof(event.text));
  std::string_view names = all.substr(std::min(begin, all.size()), bytes);
  std::vector<std::string_view> parts;
  while (!names.empty()) {
    const size_t end = std::min(names.find('\0'), names.size());
    parts.push_back(names.substr(0, end));
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  std::string path = cut ? "..." : "";
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) path.append("/").append(*part);
  return escape(path);
}

// The kernel takes records of up to some 980 bytes (devkmsg_write), of which "<3>diglim: " is a part.
constexpr size_t kMostBytes = 880;
// And /dev/kmsg gives out 2,048 at most, with a header, in which four stand for each of the others.
constexpr size_t kMostShown = 1900;

size_t shown_size(std::string_view text) {
  const auto others = std::ranges::count_if(text, [](char c) { return c < 0x20 || c >= 0x7f || c == '\\'; });
  return text.size() + 3 * static_cast<size_t>(others);
}

// What must not be cut apart: "\x1b", "\n", a character of several bytes.
std::vector<std::string_view> signs_of(std::string_view escaped) {
  std::vector<std::string_view> signs;
  for (size_t at = 0; at < escaped.size(); at += signs.back().size()) {
    size_t length = 1;
    if (escaped[at] == '\\')
      length = escaped.substr(at + 1).starts_with('x') ? 4 : 2;
    else if (static_cast<uint8_t>(escaped[at]) >= 0x80)
      length = std::max<size_t>(1, utf8_length(escaped, at));
    signs.push_back(escaped.substr(at, length));
  }
  return signs;
}

// An escaped path with its beginning and its end, such that both sizes stay within the limits.
std::string shorten(const std::string& path, size_t bytes, size_t shown) {
  if (path.size() <= bytes && shown_size(path) <= shown) return path;
  const std::vector<std::string_view> signs = signs_of(path);
  const auto fitting = [&](auto sign, auto end) {
    size_t taken = 0;
    size_t taken_shown = 0;
    for (; sign != end; ++sign) {
      if (taken + sign->size() > (bytes - kMiddleMissing.size()) / 2) break;
      taken_shown += shown_size(*sign);
      if (taken_shown > (shown - shown_size(kMiddleMissing)) / 2) break;
      taken += sign->size();
    }
    return taken;
  };
  const size_t head = fitting(signs.begin(), signs.end());
  const size_t tail = fitting(signs.rbegin(), signs.rend());
  return path.substr(0, head).append(kMiddleMissing).append(path, path.size() - tail);
}

}  // namespace

std::string event_what(const diglim_event& event) {
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

std::string event_why(const diglim_event& event) {
  if (event.reason == 0) return {};
  if (event.reason == DIGLIM_REASON_MEMORY && event.kind == DIGLIM_KIND_KERNEL_LOAD &&
      event.detail == kModule)
    return std::string(unsigned_module_text());
  return reason_text(event.reason, hole(event));
}

std::string event_use(const diglim_event& event) {
  if (event.kind != DIGLIM_KIND_KERNEL_READ && event.kind != DIGLIM_KIND_KERNEL_LOAD) return {};
  // `detail` holds the use unless the reason needed it.
  switch (event.reason) {
    case DIGLIM_REASON_HASH:
    case DIGLIM_REASON_ALGORITHM:
    case DIGLIM_REASON_FILESYSTEM:
    case DIGLIM_REASON_STORAGE:
      return {};
    default:
      return std::string(pick(kKernelUses, event.detail));
  }
}

std::string event_digest(const diglim_event& event) {
  const auto algo = hash_from_kernel(event.algo);
  if (event.digest_size == 0 || !algo) return {};
  return std::string(hash_name(*algo)) + ":" + to_hex(ByteView(event.digest, hash_size(*algo)));
}

std::string event_path(const diglim_event& event) {
  return joined(event, 0, event.path_bytes, event.path_cut != 0);
}

std::string event_cgroup(const diglim_event& event) {
  const std::string path = joined(event, event.path_bytes, event.cgroup_bytes, event.cgroup_cut != 0);
  return path.empty() ? "/" : path;
}

std::string event_exe(const diglim_event& event) {
  return joined(event, size_t{event.path_bytes} + event.cgroup_bytes, event.exe_bytes, event.exe_cut != 0);
}

std::string event_text(const char (&field)[16]) {
  return escape(std::string_view(field, strnlen(field, sizeof(field))));
}

std::string event_line(const diglim_event& event, std::string_view boot, uint64_t lost) {
  std::string begin = event.reason == 0 ? "allowed " : event.enforced != 0 ? "denied " : "would deny ";
  begin += event_what(event);
  std::string end = ": ";
  if (const std::string use = event_use(event); !use.empty()) end += use + ": ";
  end += event.reason == 0 ? "on a digest list" : event_why(event);
  if (const std::string digest = event_digest(event); !digest.empty()) end += "; " + digest;
  end += "; pid " + std::to_string(event.pid) + " uid " + std::to_string(event.uid);
  if (event.number > 0) end += " event " + event_id(boot, event.number);
  if (lost > 0) end += " lost " + std::to_string(lost);
  end += " command " + event_text(event.command);
  if (event.path_bytes == 0) return begin + end;
  begin += " ";
  // What is not the path is DIGLIM's words, and short.
  return begin +
         shorten(event_path(event), kMostBytes - begin.size() - end.size(),
                 kMostShown - shown_size(begin) - shown_size(end)) +
         end;
}

}  // namespace diglim
