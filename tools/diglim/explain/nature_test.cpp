// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/explain/nature.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

namespace diglim::explain {
namespace {

ReadAt reader(const Bytes& file) {
  return [&file](uint64_t offset, size_t size) {
    if (offset >= file.size()) return Bytes();
    const auto begin = file.begin() + static_cast<ptrdiff_t>(offset);
    return Bytes(begin, begin + static_cast<ptrdiff_t>(std::min<uint64_t>(size, file.size() - offset)));
  };
}

template <typename T>
void add(Bytes& file, const T& value) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(&value);
  file.insert(file.end(), bytes, bytes + sizeof(value));
}

// A 64-bit one of this machine's byte order, with these sections.
Bytes elf_with(const std::vector<std::string>& sections, uint16_t machine = EM_X86_64) {
  Elf64_Ehdr header = {};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_machine = machine;
  header.e_shnum = static_cast<uint16_t>(sections.size() + 1);
  header.e_shstrndx = 0;
  std::string names(1, '\0');
  std::vector<Elf64_Shdr> table(1);
  for (const std::string& name : sections) {
    Elf64_Shdr one = {};
    one.sh_name = static_cast<uint32_t>(names.size());
    names += name + '\0';
    table.push_back(one);
  }
  header.e_shoff = sizeof(header) + names.size();
  table[0].sh_offset = sizeof(header);
  table[0].sh_size = names.size();
  Bytes file;
  add(file, header);
  file.insert(file.end(), names.begin(), names.end());
  for (const Elf64_Shdr& one : table) add(file, one);
  return file;
}

TEST(Nature, Sections) {
  const Bytes whole = elf_with({".text", ".symtab"});
  const auto elf = read_elf(reader(whole));
  ASSERT_TRUE(elf);
  EXPECT_TRUE(elf->has_sections && elf->has_symbols);
  EXPECT_FALSE(elf->prelinked);
  const Bytes bare = elf_with({".text"});
  EXPECT_FALSE(read_elf(reader(bare))->has_symbols);
  const Bytes undo = elf_with({".text", ".gnu.prelink_undo"});
  EXPECT_TRUE(read_elf(reader(undo))->prelinked);
}

// Whatever is cut or changed: an answer, and nothing read beyond the file.
TEST(Nature, DamagedFiles) {
  const Bytes whole = elf_with({".text", ".symtab", ".gnu.liblist"});
  for (size_t size = 0; size < whole.size(); ++size) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_EQ(read_elf(reader(cut)).has_value(), size >= sizeof(Elf32_Ehdr)) << size;
  }
  for (size_t at = SELFMAG; at < whole.size(); ++at) {
    for (const int byte : {0x00, 0x7f, 0x80, 0xff}) {
      Bytes changed = whole;
      changed[at] = static_cast<uint8_t>(byte);
      EXPECT_TRUE(read_elf(reader(changed))) << at;
    }
  }
  const Bytes text = {'#', '!'};
  EXPECT_FALSE(read_elf(reader(text)));
}

// Segments in both sizes; what lies beyond the file's end is none.
template <typename Header, typename Segment>
Bytes elf_that_asks_for(const std::string& interpreter, uint8_t bits) {
  Header header = {};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = bits;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_phoff = sizeof(header);
  header.e_phnum = 2;
  Segment segments[2] = {};
  segments[0].p_type = PT_PHDR;
  segments[1].p_type = PT_INTERP;
  segments[1].p_offset = sizeof(header) + sizeof(segments);
  segments[1].p_filesz = static_cast<decltype(segments[1].p_filesz)>(interpreter.size() + 1);
  Bytes file;
  add(file, header);
  add(file, segments);
  file.insert(file.end(), interpreter.begin(), interpreter.end());
  file.push_back(0);
  return file;
}

TEST(Nature, TheDynamicLinker) {
  Bytes elf = elf_that_asks_for<Elf64_Ehdr, Elf64_Phdr>("/lib64/ld.so", ELFCLASS64);
  EXPECT_EQ(read_elf(reader(elf))->interpreter, "/lib64/ld.so");
  const Bytes small = elf_that_asks_for<Elf32_Ehdr, Elf32_Phdr>("/lib/ld-linux.so.2", ELFCLASS32);
  EXPECT_EQ(read_elf(reader(small))->interpreter, "/lib/ld-linux.so.2");
  EXPECT_EQ(read_elf(reader(elf_with({".text"})))->interpreter, "");
  for (size_t size = sizeof(Elf64_Ehdr); size < elf.size(); ++size) {
    const Bytes cut(elf.begin(), elf.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_LE(read_elf(reader(cut))->interpreter.size(), std::strlen("/lib64/ld.so"));
  }
  Elf64_Phdr* const segment = reinterpret_cast<Elf64_Phdr*>(elf.data() + sizeof(Elf64_Ehdr)) + 1;
  segment->p_offset = UINT64_MAX;
  EXPECT_EQ(read_elf(reader(elf))->interpreter, "");
}

TEST(Nature, OtherMachines) {
  Elf elf;
  elf.machine = EM_X86_64;
  EXPECT_EQ(other_machine(elf, "x86_64"), "");
  EXPECT_EQ(other_machine(elf, "aarch64"), "x86-64, 64 bit");
  EXPECT_EQ(other_machine(elf, "vax"), "");
  elf.machine = EM_386;
  elf.bits = 32;
  EXPECT_EQ(other_machine(elf, "x86_64"), "");
  EXPECT_EQ(other_machine(elf, "i686"), "");
  EXPECT_EQ(other_machine(elf, "s390x"), "Intel 80386, 32 bit");
  elf.machine = EM_PPC64;
  elf.bits = 64;
  elf.big_endian = true;
  EXPECT_EQ(other_machine(elf, "ppc64"), "");
  EXPECT_EQ(other_machine(elf, "ppc64le"), "PowerPC, 64 bit, big-endian");
  elf.machine = 9999;
  EXPECT_EQ(other_machine(elf, "x86_64"), "an unknown machine (9999)");
}

TEST(Nature, Interpreters) {
  EXPECT_EQ(interpreter_of(as_bytes("#!/bin/sh -e\necho")), "/bin/sh");
  EXPECT_EQ(interpreter_of(as_bytes("#! /usr/bin/env python3")), "/usr/bin/env");
  EXPECT_EQ(interpreter_of(as_bytes("#!\n/bin/sh")), "");
  EXPECT_EQ(interpreter_of(as_bytes("echo")), "");
}

TEST(Nature, ConfigurationTools) {
  EXPECT_EQ(config_tool(as_bytes("#!/bin/sh\n# Ansible managed: do not edit\n")), "Ansible");
  EXPECT_EQ(config_tool(as_bytes("#!/bin/sh\n# This file is managed by Puppet.\n")), "Puppet");
  EXPECT_EQ(config_tool(as_bytes("#!/bin/sh\necho job\n")), "");
}

}  // namespace
}  // namespace diglim::explain
