// SPDX-License-Identifier: Apache-2.0
#include "lib/openpgp/armor.h"

#include <optional>
#include <string_view>

#include "lib/base/base64.h"
#include "lib/base/text.h"

namespace diglim::openpgp {
namespace {

constexpr std::string_view kBeginPublic = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
constexpr std::string_view kBeginPrivate = "-----BEGIN PGP PRIVATE KEY BLOCK-----";
constexpr std::string_view kEndPublic = "-----END PGP PUBLIC KEY BLOCK-----";
constexpr std::string_view kEndPrivate = "-----END PGP PRIVATE KEY BLOCK-----";

// Lines without their end; blanks at the end of a line are dropped (section 6.2.1).
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {}

  std::optional<std::string_view> next() {
    if (at_ >= text_.size()) return std::nullopt;
    start_ = at_;
    const size_t end = std::min(text_.find('\n', at_), text_.size());
    at_ = end + 1;
    const std::string_view line = text_.substr(start_, end - start_);
    return line.substr(0, line.find_last_not_of(" \t\r") + 1);
  }
  size_t start() const { return start_; }  // of the line that next() gave

 private:
  std::string_view text_;
  size_t at_ = 0;
  size_t start_ = 0;
};

// Decodes over line ends; padding ends it.
class Base64 {
 public:
  Result<void> add(std::string_view line, uint64_t offset) {
    for (const char c : line) {
      if (c == '=') {
        if (held_bits_ == 0 || ++padding_ > 2) return corrupt(offset, "'=' where base64 needs none");
        continue;
      }
      const int value = base64_sextet(c);
      if (value < 0) return corrupt(offset, "not a base64 character in this line");
      if (padding_ > 0) return corrupt(offset, "base64 goes on after its end");
      held_ = (held_ << 6 | static_cast<uint32_t>(value)) & 0xfff;
      held_bits_ += 6;
      if (held_bits_ >= 8) {
        held_bits_ -= 8;
        out_.push_back(static_cast<uint8_t>(held_ >> held_bits_));
      }
    }
    return {};
  }
  Result<Bytes> finish(uint64_t offset) {
    // 4 bits are left of two characters and 2 of three: each needs its padding, and must be zero.
    const bool padded = held_bits_ == 0 ? padding_ == 0 : padding_ * 2 == held_bits_;
    const bool zero = (held_ & ((1u << held_bits_) - 1)) == 0;
    if (!padded || !zero) return corrupt(offset, "base64 ends in the middle");
    return std::move(out_);
  }

 private:
  Bytes out_;
  uint32_t held_ = 0;
  uint32_t held_bits_ = 0;
  uint32_t padding_ = 0;
};

// RFC 9580 section 6.1.1.
uint32_t crc24(ByteView bytes) {
  uint32_t crc = 0xb704ce;
  for (const uint8_t byte : bytes) {
    crc ^= uint32_t{byte} << 16;
    for (int bit = 0; bit < 8; ++bit) {
      crc <<= 1;
      if ((crc & 0x1000000) != 0) crc ^= 0x1864cfb;
    }
  }
  return crc & 0xffffff;
}

Result<void> check_crc(std::string_view line, ByteView content, uint64_t offset) {
  Base64 decoder;
  TRY(decoder.add(line.substr(1), offset));
  TRY_ASSIGN(const Bytes sum, decoder.finish(offset));
  const uint32_t crc = crc24(content);
  const Bytes wanted = {static_cast<uint8_t>(crc >> 16), static_cast<uint8_t>(crc >> 8),
                        static_cast<uint8_t>(crc)};
  if (sum != wanted) return corrupt(offset, "the checksum of the armour is wrong: the file was damaged");
  return {};
}

// The lines after BEGIN, to END.
Result<Bytes> read_block(Lines& lines, std::string_view end_line, uint64_t begin) {
  Base64 decoder;
  std::optional<std::string_view> checksum;
  uint64_t checksum_offset = 0;
  bool in_headers = true;
  while (const auto line = lines.next()) {
    if (*line == end_line) {
      TRY_ASSIGN(Bytes content, decoder.finish(lines.start()));
      if (checksum) TRY(check_crc(*checksum, content, checksum_offset));
      return content;
    }
    if (line->empty()) {
      in_headers = false;
    } else if (in_headers && line->find(':') != std::string_view::npos) {
      continue;  // "Version: ..."; no base64 has a colon, so a missing blank line does no harm
    } else if (checksum) {
      return corrupt(lines.start(), "text after the checksum of the armour");
    } else if (line->front() == '=' && line->size() == 5) {
      checksum = line;
      checksum_offset = lines.start();
    } else {
      in_headers = false;
      TRY(decoder.add(*line, lines.start()));
    }
  }
  return corrupt(begin, "the armour has no end line");
}

}  // namespace

bool has_key_armor(ByteView text) {
  const std::string_view view = as_text(text);
  return view.find(kBeginPublic) != view.npos || view.find(kBeginPrivate) != view.npos;
}

Result<std::vector<ArmorBlock>> read_key_armor(ByteView text, size_t max_blocks) {
  std::vector<ArmorBlock> blocks;
  Lines lines(as_text(text));
  while (const auto line = lines.next()) {
    const bool is_public = *line == kBeginPublic;
    if (!is_public && *line != kBeginPrivate) continue;
    const uint64_t begin = lines.start();
    if (blocks.size() == max_blocks) return corrupt(begin, "too many armour blocks");
    TRY_ASSIGN(Bytes content, read_block(lines, is_public ? kEndPublic : kEndPrivate, begin));
    blocks.push_back({is_public ? ArmorKind::kPublicKey : ArmorKind::kPrivateKey, begin, std::move(content)});
  }
  return blocks;
}

}  // namespace diglim::openpgp
