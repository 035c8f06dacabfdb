// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/initramfs/firmware_program.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "lib/base/bytes.h"
#include "lib/base/file.h"
#include "lib/base/text.h"

namespace diglim::initramfs {
namespace {

constexpr size_t kDosSize = 64;
constexpr size_t kDosOffset = 60;  // of the place of the other head
constexpr size_t kHeadSize = 24;
constexpr size_t kSectionSize = 40;
constexpr size_t kNameSize = 8;
constexpr size_t kPiece = 1u << 16;
constexpr size_t kMaxText = 1u << 16;

// Fewer at the end of the file.
Result<Bytes> read_at(const Fd& fd, const std::string& path, uint64_t offset, size_t count) {
  Bytes bytes(count);
  size_t got = 0;
  while (got < count) {
    const ssize_t now = pread(fd.get(), bytes.data() + got, count - got, static_cast<off_t>(offset + got));
    if (now < 0 && errno == EINTR) continue;
    if (now < 0) return from_errno("read " + escape(path), errno);
    if (now == 0) break;
    got += static_cast<size_t>(now);
  }
  bytes.resize(got);
  return bytes;
}

}  // namespace

Result<std::vector<Section>> read_sections(const std::string& path) {
  std::vector<Section> sections;
  TRY_ASSIGN(const Fd fd, open_file(path, O_RDONLY));
  TRY_ASSIGN(const Bytes dos, read_at(fd, path, 0, kDosSize));
  if (!as_text(dos).starts_with("MZ")) return sections;
  const Error damaged{ErrorCode::kCorrupt, 0, escape(path) + " is a program for the firmware, and damaged"};
  if (dos.size() < kDosSize) return damaged;
  ByteReader place(ByteView(dos).subspan(kDosOffset));
  TRY_ASSIGN(const uint32_t at, place.u32_le());
  TRY_ASSIGN(const Bytes head, read_at(fd, path, at, kHeadSize));
  if (head.size() < kHeadSize || as_text(head).substr(0, 4) != std::string_view("PE\0\0", 4)) return damaged;
  ByteReader reader{ByteView(head)};
  TRY(reader.skip(6));
  TRY_ASSIGN(const uint16_t count, reader.u16_le());
  TRY(reader.skip(12));
  TRY_ASSIGN(const uint16_t optional_size, reader.u16_le());
  TRY_ASSIGN(const Bytes table,
             read_at(fd, path, uint64_t{at} + kHeadSize + optional_size, count * kSectionSize));
  if (table.size() < count * kSectionSize) return damaged;
  ByteReader rows{ByteView(table)};
  for (unsigned i = 0; i < count; ++i) {
    Section section;
    TRY_ASSIGN(const ByteView name, rows.bytes(kNameSize));
    section.name = as_text(name.first(static_cast<size_t>(std::ranges::find(name, 0) - name.begin())));
    TRY_ASSIGN(const uint32_t in_memory, rows.u32_le());
    TRY(rows.skip(4));
    TRY_ASSIGN(const uint32_t in_file, rows.u32_le());
    TRY_ASSIGN(const uint32_t offset, rows.u32_le());
    TRY(rows.skip(kSectionSize - kNameSize - 16));
    section.offset = offset;
    section.size = in_memory == 0 ? in_file : std::min(in_memory, in_file);
    sections.push_back(std::move(section));
  }
  return sections;
}

std::vector<Section> named(const std::vector<Section>& sections, const std::string& name) {
  std::vector<Section> found;
  std::ranges::copy_if(sections, std::back_inserter(found),
                       [&](const Section& section) { return section.name == name; });
  return found;
}

Result<std::string> read_text_section(const std::string& path, const std::string& name) {
  TRY_ASSIGN(const auto sections, read_sections(path));
  const auto found = named(sections, name);
  if (found.empty()) return not_found("there is no section " + escape(name) + " in " + escape(path));
  TRY_ASSIGN(const Fd fd, open_file(path, O_RDONLY));
  const auto size = static_cast<size_t>(std::min<uint64_t>(found.front().size, kMaxText + 1));
  TRY_ASSIGN(const Bytes bytes, read_at(fd, path, found.front().offset, size));
  if (bytes.size() != found.front().size || bytes.size() > kMaxText)
    return Error{ErrorCode::kCorrupt, 0,
                 "the section " + escape(name) + " of " + escape(path) + " is cut, or no line of text"};
  return std::string(as_text(bytes).substr(0, as_text(bytes).find('\0')));
}

Result<void> copy_section(const std::string& path, const Section& section, const std::string& to) {
  TRY_ASSIGN(const Fd from, open_file(path, O_RDONLY));
  TRY_ASSIGN(const Fd out, open_file(to, O_WRONLY | O_CREAT | O_TRUNC, 0600));
  for (uint64_t done = 0; done < section.size;) {
    TRY_ASSIGN(const Bytes piece,
               read_at(from, path, section.offset + done,
                       static_cast<size_t>(std::min<uint64_t>(kPiece, section.size - done))));
    if (piece.empty())
      return Error{ErrorCode::kCorrupt, 0,
                   "the section " + escape(section.name) + " of " + escape(path) + " is cut"};
    TRY(write_bytes(out, to, piece));
    done += piece.size();
  }
  return {};
}

}  // namespace diglim::initramfs
