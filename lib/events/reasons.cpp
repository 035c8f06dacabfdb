// SPDX-License-Identifier: Apache-2.0
#include "lib/events/reasons.h"

namespace diglim {
namespace {

constexpr std::string_view kHole = "{}";

// The manual has each, up to a parenthesis (selftests/host/man/man_test.sh reads this).
constexpr ReasonWords kReasons[] = {
    {DIGLIM_REASON_UNKNOWN, "not on any digest list"},
    {DIGLIM_REASON_HASH, "the kernel cannot hash it ({})"},
    {DIGLIM_REASON_ALGORITHM, "hashed with another algorithm than the lists"},
    {DIGLIM_REASON_WRITER, "it is open for writing"},
    {DIGLIM_REASON_CHANGED, "it was written while it was checked"},
    {DIGLIM_REASON_FILESYSTEM, "its file system ({}) can change content unseen"},
    {DIGLIM_REASON_UNSEALED, "memory file not sealed against writing"},
    {DIGLIM_REASON_NOT_VERIFIED, "made executable without having been mapped executable"},
    {DIGLIM_REASON_MAPPED, "it is mapped executable"},
    {DIGLIM_REASON_MEMORY, "not from a file"},
    {DIGLIM_REASON_MEMORY,
     "not from a file (allowed if the kernel enforces signatures: boot with module.sig_enforce=1)"},
    {DIGLIM_REASON_PROTECTED, "DIGLIM protects itself"},
    {DIGLIM_REASON_NO_STORAGE, "the kernel is out of memory"},
    {DIGLIM_REASON_STALE, "the kernel knows only an earlier digest of it"},
    {DIGLIM_REASON_OTHER_KERNEL, "known, but another kernel could be started without DIGLIM"},
    {DIGLIM_REASON_PINNED,
     "it was mapped shared and writable, so its content can still be changed unseen; a copy of it (cp, "
     "install) may run"},
    {DIGLIM_REASON_STORAGE, "its file system is on no disk{}, so root can change its content unseen"},
};

}  // namespace

std::span<const ReasonWords> reason_words() {
  return kReasons;
}

std::string reason_text(unsigned reason, std::string_view hole) {
  for (const ReasonWords& words : kReasons) {
    if (words.reason != reason) continue;
    std::string text(words.text);
    const size_t at = text.find(kHole);
    if (at != std::string::npos) text.replace(at, kHole.size(), hole);
    return text;
  }
  return "reason " + std::to_string(reason);
}

std::string_view unsigned_module_text() {
  for (size_t i = 1; i < std::size(kReasons); ++i) {
    if (kReasons[i].reason == DIGLIM_REASON_MEMORY && kReasons[i - 1].reason == DIGLIM_REASON_MEMORY)
      return kReasons[i].text;
  }
  return {};
}

}  // namespace diglim
