// SPDX-License-Identifier: Apache-2.0
// What a file's own bytes say of it. Pure; the bytes may be an attacker's.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/bytes.h"

namespace diglim::explain {

struct Elf {
  uint16_t machine = 0;  // EM_... of elf.h
  unsigned bits = 64;
  bool big_endian = false;
  // Of its section names; both false if there are none, or they cannot be read.
  bool has_sections = false;
  bool has_symbols = false;  // .symtab
  bool prelinked = false;    // what prelink(8) leaves behind
  std::string interpreter;   // the dynamic linker that it asks for, unescaped; empty: none
};

// At most `size` bytes of the file from `offset` on; fewer or none if it has no more.
using ReadAt = std::function<Bytes(uint64_t offset, size_t size)>;

// Nothing: it is no ELF file. What its header claims beyond the file's end does not count.
std::optional<Elf> read_elf(const ReadAt& read_at);

// "AArch64, 64 bit": why it cannot start on this machine ("x86_64", of uname) but by an emulator. Empty: it
// can, or nobody knows.
std::string other_machine(const Elf& elf, std::string_view host);

// Of a script: the program that runs it, "/bin/sh". Empty: it is none.
std::string interpreter_of(ByteView head);

// Which configuration tool says in the first lines that it wrote the file: "Ansible". Empty: none.
std::string_view config_tool(ByteView head);

}  // namespace diglim::explain
