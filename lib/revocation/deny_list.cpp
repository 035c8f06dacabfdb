// SPDX-License-Identifier: Apache-2.0
#include "lib/revocation/deny_list.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <limits>

#include "lib/base/text.h"

namespace diglim {
namespace {

constexpr std::string_view kFirstLine = "diglim-deny-list ";
constexpr size_t kMaxName = 64;
constexpr size_t kMaxPackageName = 255;
constexpr size_t kMaxFingerprint = 64 + 8;
constexpr uint64_t kMaxNumber = std::numeric_limits<int64_t>::max();

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kMaxName && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

bool is_word(std::string_view text, size_t max) {
  return !text.empty() && text.size() <= max &&
         std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

bool is_reason(std::string_view text) {
  return !text.empty() && text.size() <= kMaxDenialReason &&
         std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_fingerprint(std::string_view text) {
  if (text.starts_with("openpgp:")) {
    text.remove_prefix(8);
    return is_hex(text) && (text.size() == 40 || text.size() == 64);
  }
  return text.starts_with("x509:") && text.size() == 5 + 64 && is_hex(text.substr(5));
}

// The words of one line, each with its offset in the content.
class Line {
 public:
  Line(std::string_view text, uint64_t offset) : text_(text), offset_(offset) {}

  uint64_t offset() const { return offset_; }
  Result<std::string_view> word(size_t max) {
    const std::string_view word = text_.substr(0, text_.find(' '));
    if (!is_word(word, max)) return corrupt(offset_, "a word expected");
    skip(word.size());
    if (text_.empty()) return word;
    skip(1);
    return word;
  }
  Result<uint64_t> number() {
    const uint64_t start = offset_;
    TRY_ASSIGN(const std::string_view text, word(20));
    uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number > kMaxNumber)
      return corrupt(start, "a number expected");
    return number;
  }
  std::string rest() {
    const std::string text(text_);
    skip(text_.size());
    return text;
  }
  Result<void> end() const {
    if (!text_.empty()) return corrupt(offset_, "the end of the line expected");
    return {};
  }

 private:
  void skip(size_t count) {
    text_.remove_prefix(count);
    offset_ += count;
  }
  std::string_view text_;
  uint64_t offset_;
};

Result<void> read_digest(Line& line, DenyEntry& denial) {
  denial.kind = DenyEntry::Kind::kDigest;
  const uint64_t start = line.offset();
  TRY_ASSIGN(const std::string_view text, line.word(7 + 1 + 2 * kMaxDigestSize));
  const size_t colon = text.find(':');
  const auto algo = hash_from_name(text.substr(0, colon));
  if (colon == std::string_view::npos || !algo) return corrupt(start, "algorithm:digest expected");
  auto digest = from_hex(text.substr(colon + 1));
  if (!digest) return corrupt(start, digest.error().message);
  denial.algo = *algo;
  denial.digest = *std::move(digest);
  return {};
}

Result<void> read_package(Line& line, DenyEntry& denial) {
  denial.kind = DenyEntry::Kind::kPackage;
  TRY_ASSIGN(denial.package, line.word(kMaxPackageName));
  TRY_ASSIGN(denial.below, line.word(kMaxPackageName));
  return {};
}

Result<void> read_key(Line& line, DenyEntry& denial, bool window) {
  denial.kind = DenyEntry::Kind::kKey;
  TRY_ASSIGN(denial.fingerprint, line.word(kMaxFingerprint));
  if (!window) return {};
  TRY_ASSIGN(denial.from, line.number());
  TRY_ASSIGN(denial.to, line.number());
  return {};
}

Result<DenyEntry> read_denial(std::string_view word, Line& line, uint64_t start) {
  DenyEntry denial;
  if (word == "digest") {
    TRY(read_digest(line, denial));
  } else if (word == "package") {
    TRY(read_package(line, denial));
  } else if (word == "key" || word == "key-window") {
    TRY(read_key(line, denial, word == "key-window"));
  } else {
    return corrupt(start, "digest, package, key, key-window or end expected");
  }
  TRY_ASSIGN(denial.since, line.number());
  denial.reason = line.rest();
  return denial;
}

std::string day(uint64_t seconds) {
  const auto when = static_cast<time_t>(seconds);
  tm parts = {};
  char text[32] = "?";
  if (gmtime_r(&when, &parts) != nullptr) (void)strftime(text, sizeof(text), "%Y-%m-%d", &parts);
  return text;
}

std::string line_of(const DenyEntry& denial) {
  std::string text;
  switch (denial.kind) {
    case DenyEntry::Kind::kDigest:
      text = "digest " + std::string(hash_name(denial.algo)) + ":" + to_hex(denial.digest);
      break;
    case DenyEntry::Kind::kPackage:
      text = "package " + denial.package + " " + denial.below;
      break;
    case DenyEntry::Kind::kKey:
      text = denial.to == 0 ? "key " + denial.fingerprint
                            : "key-window " + denial.fingerprint + " " + std::to_string(denial.from) + " " +
                                  std::to_string(denial.to);
      break;
  }
  return text + " " + std::to_string(denial.since) + " " + denial.reason + "\n";
}

}  // namespace

Result<DenyList> read_deny_list(ByteView content) {
  if (content.size() > kMaxDenyListBytes) return corrupt(kMaxDenyListBytes, "larger than 1 MiB");
  const std::string_view text = as_text(content);
  if (!text.starts_with(kFirstLine)) return corrupt(0, "not a deny list");
  DenyList list;
  size_t at = 0;
  for (size_t number = 0;; ++number) {
    const size_t end = text.find('\n', at);
    if (end == std::string_view::npos) return corrupt(at, "a line that ends, or 'end', expected");
    Line line(text.substr(at, end - at), at);
    TRY_ASSIGN(const std::string_view word, line.word(20));
    if (number == 0) {
      TRY_ASSIGN(const uint64_t version, line.number());
      if (version != 1) return unsupported("deny list of another version than 1");
    } else if (number == 1) {
      if (word != "name") return corrupt(at, "'name' expected");
      TRY_ASSIGN(list.name, line.word(kMaxName));
    } else if (number == 2) {
      if (word != "serial") return corrupt(at, "'serial' expected");
      TRY_ASSIGN(list.serial, line.number());
    } else if (word == "end") {
      TRY(line.end());
      if (end + 1 != text.size()) return corrupt(end + 1, "bytes after the end");
      break;
    } else {
      TRY_ASSIGN(DenyEntry denial, read_denial(word, line, at));
      list.denials.push_back(std::move(denial));
    }
    TRY(line.end());
    at = end + 1;
  }
  // What may be in it, and how it is spelled, the writer knows.
  const auto again = write_deny_list(list);
  if (!again) return corrupt(0, again.error().message);
  if (*again != to_bytes(content)) return corrupt(0, "not written as a deny list is");
  return list;
}

Result<Bytes> write_deny_list(const DenyList& list) {
  std::string text =
      std::string(kFirstLine) + "1\nname " + list.name + "\nserial " + std::to_string(list.serial) + "\n";
  if (!is_name(list.name))
    return invalid("a deny list's name has 1 to 64 small letters, digits, '-', '_' or '.'");
  if (list.serial == 0 || list.serial > kMaxNumber) return invalid("a serial number from 1 on");
  for (const DenyEntry& denial : list.denials) {
    if (!is_reason(denial.reason)) return invalid("a reason has 1 to 500 bytes, on one line");
    const bool good = denial.kind == DenyEntry::Kind::kDigest ? denial.digest.size() == hash_size(denial.algo)
                      : denial.kind == DenyEntry::Kind::kPackage
                          ? is_word(denial.package, kMaxPackageName) && is_word(denial.below, kMaxPackageName)
                          : is_fingerprint(denial.fingerprint);
    if (!good) return invalid("not a digest, package or fingerprint that a deny list can name");
    const bool window = denial.kind == DenyEntry::Kind::kKey && denial.to != 0;
    if (window && (denial.from >= denial.to || !denial.fingerprint.starts_with("openpgp:")))
      return invalid("only of an OpenPGP key a time can be revoked, and it must begin before it ends");
    text += line_of(denial);
  }
  text += "end\n";
  if (text.size() > kMaxDenyListBytes) return invalid("a deny list of more than 1 MiB");
  return to_bytes(as_bytes(text));
}

std::string describe_denial(const DenyEntry& denial) {
  switch (denial.kind) {
    case DenyEntry::Kind::kDigest:
      return "content " + std::string(hash_name(denial.algo)) + ":" + to_hex(denial.digest);
    case DenyEntry::Kind::kPackage:
      return "packages " + denial.package + " below " + denial.below;
    case DenyEntry::Kind::kKey:
      break;
  }
  const std::string what = "what key " + denial.fingerprint + " signed";
  return denial.to == 0 ? what : what + " from " + day(denial.from) + " until " + day(denial.to);
}

std::string revoked_text(const DenyEntry& denial) {
  return "revoked since " + day(denial.since) + ", because " + escape(denial.reason, kMaxDenialReason) +
         " (" + describe_denial(denial) + ")";
}

}  // namespace diglim
