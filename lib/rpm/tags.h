// SPDX-License-Identifier: Apache-2.0
// Inside lib/rpm: the tags of a header that passed every check rpm makes.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "lib/rpm/header.h"

namespace diglim::rpm {

// Which more than one reader knows; rpm: include/rpm/rpmtag.h.
constexpr uint32_t kTagFileDigests = 1035;  // FILEMD5S once
constexpr uint32_t kTagBaseNames = 1117;

struct Tag {
  uint32_t tag = 0;
  uint32_t type = 0;
  uint32_t count = 0;
  ByteView data;          // exactly its values; a string array: `count` strings, each with its NUL
  uint64_t entry_at = 0;  // offset of the index entry in the file
  uint64_t data_at = 0;   // offset of the data in the file
};

// Walks the strings of a string tag without copying: tag.count times next().
class StringWalk {
 public:
  explicit StringWalk(const Tag& tag) : rest_(as_text(tag.data)), at_(tag.data_at) {}
  uint64_t offset() const { return at_; }  // of the next string, in the file
  std::string_view next();                 // REQUIRES: not called more than tag.count times

 private:
  std::string_view rest_;
  uint64_t at_;
};

class TagTable {
 public:
  // REQUIRES: take_header() accepted `header` as a main header, and it lies at `base` in the file.
  // Errors: kCorrupt, with the offset of the entry at fault: tag below 100 (a second region), unknown type,
  // no values, misaligned, outside the data or in the region trailer, overlapping what came before, strings
  // without end, a tag that is there twice. Views into `header`.
  static Result<TagTable> read(ByteView header, uint64_t base);

  // Null if absent; kCorrupt if the tag has another type.
  Result<const Tag*> find(uint32_t tag, Type type) const;
  bool has(uint32_t tag) const { return look_up(tag) != nullptr; }
  // One value. Empty optional if absent; kCorrupt for another type or count.
  Result<std::optional<std::string_view>> string(uint32_t tag) const;
  Result<std::optional<uint32_t>> number(uint32_t tag) const;

 private:
  const Tag* look_up(uint32_t tag) const;
  std::vector<Tag> tags_;  // sorted by tag
};

}  // namespace diglim::rpm
