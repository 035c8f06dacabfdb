// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/explain/nature.h"

#include <elf.h>

#include <algorithm>
#include <cstddef>

#include "lib/base/text.h"

namespace diglim::explain {
namespace {

constexpr size_t kMostSections = 1000;
constexpr size_t kMostNameBytes = 64u << 10;
constexpr size_t kMostSegments = 100;
constexpr size_t kMostPath = 4096;  // as the kernel's PATH_MAX

// A field of the ELF file, in its own byte order; 0 beyond the end.
uint64_t field(ByteView bytes, size_t offset, size_t size, bool big_endian) {
  if (offset > bytes.size() || bytes.size() - offset < size) return 0;
  uint64_t value = 0;
  for (size_t i = 0; i < size; ++i) value = value << 8 | bytes[offset + (big_endian ? i : size - 1 - i)];
  return value;
}

// Where 32 and 64 bit differ.
struct Layout {
  size_t header, sections, section_count, names_index, section, name, offset, size, word;
  size_t segments, segment_count, segment, segment_offset, segment_size;
};
constexpr Layout k64 = {sizeof(Elf64_Ehdr),
                        offsetof(Elf64_Ehdr, e_shoff),
                        offsetof(Elf64_Ehdr, e_shnum),
                        offsetof(Elf64_Ehdr, e_shstrndx),
                        sizeof(Elf64_Shdr),
                        offsetof(Elf64_Shdr, sh_name),
                        offsetof(Elf64_Shdr, sh_offset),
                        offsetof(Elf64_Shdr, sh_size),
                        8,
                        offsetof(Elf64_Ehdr, e_phoff),
                        offsetof(Elf64_Ehdr, e_phnum),
                        sizeof(Elf64_Phdr),
                        offsetof(Elf64_Phdr, p_offset),
                        offsetof(Elf64_Phdr, p_filesz)};
constexpr Layout k32 = {sizeof(Elf32_Ehdr),
                        offsetof(Elf32_Ehdr, e_shoff),
                        offsetof(Elf32_Ehdr, e_shnum),
                        offsetof(Elf32_Ehdr, e_shstrndx),
                        sizeof(Elf32_Shdr),
                        offsetof(Elf32_Shdr, sh_name),
                        offsetof(Elf32_Shdr, sh_offset),
                        offsetof(Elf32_Shdr, sh_size),
                        4,
                        offsetof(Elf32_Ehdr, e_phoff),
                        offsetof(Elf32_Ehdr, e_phnum),
                        sizeof(Elf32_Phdr),
                        offsetof(Elf32_Phdr, p_offset),
                        offsetof(Elf32_Phdr, p_filesz)};

void read_sections(const ReadAt& read_at, ByteView header, const Layout& at, Elf& elf) {
  const auto of = [&](ByteView bytes, size_t offset, size_t size) {
    return field(bytes, offset, size, elf.big_endian);
  };
  const size_t count = std::min<size_t>(of(header, at.section_count, 2), kMostSections);
  const size_t names_index = of(header, at.names_index, 2);
  const uint64_t place = of(header, at.sections, at.word);
  if (place == 0 || count == 0 || names_index >= count) return;
  const Bytes table = read_at(place, count * at.section);
  const ByteView names_section = ByteView(table).subspan(std::min(table.size(), names_index * at.section));
  const Bytes names = read_at(of(names_section, at.offset, at.word),
                              std::min<uint64_t>(of(names_section, at.size, at.word), kMostNameBytes));
  for (size_t i = 0; i < table.size() / at.section; ++i) {
    const size_t begin = of(ByteView(table).subspan(i * at.section), at.name, 4);
    if (begin >= names.size()) continue;
    const std::string_view rest = as_text(names).substr(begin);
    const std::string_view name = rest.substr(0, rest.find('\0'));
    elf.has_sections = elf.has_sections || !name.empty();
    elf.has_symbols = elf.has_symbols || name == ".symtab";
    elf.prelinked = elf.prelinked || name == ".gnu.prelink_undo" || name == ".gnu.liblist";
  }
}

void read_interpreter(const ReadAt& read_at, ByteView header, const Layout& at, Elf& elf) {
  const auto of = [&](ByteView bytes, size_t offset, size_t size) {
    return field(bytes, offset, size, elf.big_endian);
  };
  const size_t count = std::min<size_t>(of(header, at.segment_count, 2), kMostSegments);
  const Bytes table = read_at(of(header, at.segments, at.word), count * at.segment);
  for (size_t i = 0; i < table.size() / at.segment; ++i) {
    const ByteView segment = ByteView(table).subspan(i * at.segment);
    if (of(segment, 0, 4) != PT_INTERP) continue;  // p_type comes first in both
    const Bytes path = read_at(of(segment, at.segment_offset, at.word),
                               std::min<uint64_t>(of(segment, at.segment_size, at.word), kMostPath));
    elf.interpreter = as_text(path).substr(0, as_text(path).find('\0'));
    return;
  }
}

struct Machine {
  uint16_t machine;
  std::string_view name;
  std::string_view host;  // as uname(2) begins
};
constexpr Machine kMachines[] = {
    {EM_X86_64, "x86-64", "x86_64"},    {EM_386, "Intel 80386", "i"},
    {EM_AARCH64, "AArch64", "aarch64"}, {EM_ARM, "ARM", "arm"},
    {EM_PPC64, "PowerPC", "ppc64"},     {EM_PPC, "PowerPC", "ppc"},
    {EM_S390, "IBM S/390", "s390"},     {EM_RISCV, "RISC-V", "riscv"},
    {EM_MIPS, "MIPS", "mips"},          {EM_LOONGARCH, "LoongArch", "loongarch"},
};

// Their kernels run 32-bit programs of an older machine, too.
bool runs_both(uint16_t machine, std::string_view host) {
  return (machine == EM_386 && host == "x86_64") || (machine == EM_ARM && host == "aarch64");
}

}  // namespace

std::optional<Elf> read_elf(const ReadAt& read_at) {
  const Bytes header = read_at(0, sizeof(Elf64_Ehdr));
  if (header.size() < sizeof(Elf32_Ehdr) || as_text(header).substr(0, SELFMAG) != ELFMAG) return std::nullopt;
  Elf elf;
  elf.bits = header[EI_CLASS] == ELFCLASS32 ? 32 : 64;
  elf.big_endian = header[EI_DATA] == ELFDATA2MSB;
  elf.machine = static_cast<uint16_t>(field(header, offsetof(Elf64_Ehdr, e_machine), 2, elf.big_endian));
  const Layout& layout = elf.bits == 32 ? k32 : k64;
  read_sections(read_at, header, layout, elf);
  read_interpreter(read_at, header, layout, elf);
  return elf;
}

std::string other_machine(const Elf& elf, std::string_view host) {
  const auto of = [&](const auto& matches) { return std::ranges::find_if(kMachines, matches); };
  const auto* const found = of([&](const Machine& one) { return one.machine == elf.machine; });
  const auto* const here = of([&](const Machine& one) { return host.starts_with(one.host); });
  if (here == std::end(kMachines) || runs_both(elf.machine, host)) return {};
  if (found == std::end(kMachines)) return "an unknown machine (" + std::to_string(elf.machine) + ")";
  const bool host_is_big = host == "s390x" || host == "ppc64" || host == "mips" || host == "mips64";
  if (host.starts_with(found->host) && elf.big_endian == host_is_big) return {};
  return std::string(found->name) + ", " + std::to_string(elf.bits) + " bit" +
         (elf.big_endian ? ", big-endian" : "");
}

std::string interpreter_of(ByteView head) {
  const std::string_view text = as_text(head);
  if (!text.starts_with("#!")) return {};
  const auto words = split_words(text.substr(2, text.find('\n') - 2));
  return words.empty() ? std::string() : std::string(words.front());
}

std::string_view config_tool(ByteView head) {
  constexpr std::pair<std::string_view, std::string_view> kMarks[] = {
      {"ansible managed", "Ansible"},    {"managed by ansible", "Ansible"},  {"managed by puppet", "Puppet"},
      {"generated by puppet", "Puppet"}, {"managed by chef", "Chef"},        {"generated by chef", "Chef"},
      {"managed by salt", "Salt"},       {"managed by cfengine", "CFEngine"}};
  std::string text(as_text(head));
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  for (const auto& [mark, tool] : kMarks) {
    if (text.find(mark) != std::string::npos) return tool;
  }
  return {};
}

}  // namespace diglim::explain
