// SPDX-License-Identifier: Apache-2.0
// Which files the kernel would ask DIGLIM about.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "lib/base/bytes.h"

namespace diglim::scan {

// What counts, and as what. A file counts if it
// - has an x bit: it can be executed, be it a program, a script or neither (a shell runs that as a script,
// too);
// - is an ELF file of a kind that is mapped executable (programs, shared objects), whatever its mode;
// - is a kernel module by its name (.ko, .ko.gz, .ko.xz, .ko.zst);
// - lies in a directory of firmware.
// A script without an x bit does not count: the kernel is not asked when an interpreter reads it. Nor do
// object files and core dumps, archives, and what is empty.
enum class Kind : uint8_t { kNone, kProgram, kLibrary, kScript, kModule, kFirmware, kOther };
std::string_view kind_name(Kind kind);  // "program", ...; "other" has an x bit only

constexpr size_t kHeadBytes = 20;  // of a file are enough

// `path`: as the system has it. `head`: the first bytes, at most kHeadBytes are looked at.
Kind kind_of(std::string_view path, mode_t mode, ByteView head);

// Whether its first bytes are of no matter.
bool counts_without_content(std::string_view path, mode_t mode);

}  // namespace diglim::scan
