// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/scan/kind.h"

#include <elf.h>

#include <algorithm>

namespace diglim::scan {
namespace {

constexpr std::string_view kModules[] = {".ko", ".ko.gz", ".ko.xz", ".ko.zst"};
constexpr std::string_view kFirmware[] = {"/usr/lib/firmware/", "/lib/firmware/"};

// Is it mapped executable as it is? Its bytes are in its own order.
bool is_mapped_elf(ByteView head) {
  if (head.size() < kHeadBytes || as_text(head.first(SELFMAG)) != ELFMAG) return false;
  const bool big = head[EI_DATA] == ELFDATA2MSB;
  const unsigned type = big ? head[16] << 8 | head[17] : head[17] << 8 | head[16];
  return type == ET_EXEC || type == ET_DYN;
}

bool is_module(std::string_view path) {
  return std::ranges::any_of(kModules, [&](std::string_view end) { return path.ends_with(end); });
}

bool is_firmware(std::string_view path) {
  return std::ranges::any_of(kFirmware, [&](std::string_view folder) { return path.starts_with(folder); });
}

}  // namespace

std::string_view kind_name(Kind kind) {
  constexpr std::string_view kNames[] = {"none",   "program",  "library", "script",
                                         "module", "firmware", "other"};
  return kNames[static_cast<size_t>(kind)];
}

bool counts_without_content(std::string_view path, mode_t mode) {
  return (mode & 0111) != 0 || is_module(path) || is_firmware(path);
}

Kind kind_of(std::string_view path, mode_t mode, ByteView head) {
  if (head.empty()) return Kind::kNone;
  if (is_module(path)) return Kind::kModule;
  if (is_firmware(path)) return Kind::kFirmware;
  const bool may_run = (mode & 0111) != 0;
  if (is_mapped_elf(head)) return may_run && !path.ends_with(".so") ? Kind::kProgram : Kind::kLibrary;
  if (!may_run) return Kind::kNone;
  return as_text(head).starts_with("#!") ? Kind::kScript : Kind::kOther;
}

}  // namespace diglim::scan
