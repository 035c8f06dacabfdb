// SPDX-License-Identifier: Apache-2.0
#include "lib/manifest/reader.h"

#include <charconv>
#include <limits>
#include <optional>

#include "lib/manifest/token.h"

namespace diglim {
namespace {

constexpr size_t kHashDigits = 64;

// One line at a time; `take` moves on only if the line begins with the word asked for.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {}

  bool at_end() const { return position_ == text_.size(); }
  uint64_t offset() const { return position_; }

  // What follows "word " (or nothing after "word" alone), or none if the next line is another.
  Result<std::optional<std::string_view>> take(std::string_view word) {
    const std::string_view rest = text_.substr(position_);
    if (!rest.starts_with(word)) return std::optional<std::string_view>();
    const size_t end = rest.find('\n');
    if (end == std::string_view::npos) return corrupt(position_, "the last line has no end");
    std::string_view line = rest.substr(word.size(), end - word.size());
    if (!line.empty()) {
      if (line[0] != ' ') return std::optional<std::string_view>();
      line.remove_prefix(1);
      if (line.empty()) return corrupt(position_ + end, "a line ends with a space");
    }
    value_offset_ = position_ + end - line.size();
    position_ += end + 1;
    return std::optional<std::string_view>(line);
  }

  Result<std::string_view> need(std::string_view word) {
    TRY_ASSIGN(const auto value, take(word));
    if (!value) return corrupt(position_, "'" + std::string(word) + "' expected");
    return *value;
  }

  uint64_t value_offset() const { return value_offset_; }  // of what take() or need() gave last

 private:
  std::string_view text_;
  size_t position_ = 0;
  size_t value_offset_ = 0;
};

Result<Bytes> parse_hash(std::string_view text, uint64_t offset) {
  if (text.size() != kHashDigits || !is_lower_hex(text))
    return corrupt(offset, "64 lower-case hexadecimal digits expected");
  return from_hex(text);
}

struct HashAndRest {
  Bytes hash;
  std::string_view rest;
  uint64_t rest_offset;
};

Result<HashAndRest> parse_hash_and_rest(std::string_view value, uint64_t offset) {
  TRY_ASSIGN(Bytes digest, parse_hash(value.substr(0, kHashDigits), offset));
  if (value.size() < kHashDigits + 2 || value[kHashDigits] != ' ')
    return corrupt(offset + kHashDigits, "something expected after the hash");
  return HashAndRest{std::move(digest), value.substr(kHashDigits + 1), offset + kHashDigits + 1};
}

Result<std::string> parse_name(std::string_view text, uint64_t offset) {
  TRY_ASSIGN(std::string name, manifest_unescape(text, false, offset));
  if (name.empty() || name.size() > kMaxManifestName || name.find('/') != std::string::npos)
    return corrupt(offset, "a name must have 1 to 255 bytes and no '/'");
  return name;
}

Result<HashAlgo> parse_algo(std::string_view text, uint64_t offset) {
  const auto algo = hash_from_name(text);
  if (!algo) return corrupt(offset, "unknown hash algorithm");
  return *algo;
}

Result<ManifestKind> parse_kind(std::string_view text, uint64_t offset) {
  for (auto kind : {ManifestKind::kBoot, ManifestKind::kAdd, ManifestKind::kRemove, ManifestKind::kMonitor}) {
    if (text == kind_name(kind)) return kind;
  }
  return corrupt(offset, "unknown kind");
}

Result<uint64_t> parse_number(std::string_view text, uint64_t offset) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text[0] == '0' ||
      number > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    return corrupt(offset, "not a manifest number");
  }
  return number;
}

Result<void> read_programs(Lines& lines, std::vector<ManifestProgram>& programs) {
  for (;;) {
    TRY_ASSIGN(const auto value, lines.take("program"));
    if (!value) return {};
    TRY_ASSIGN(auto parts, parse_hash_and_rest(*value, lines.value_offset()));
    TRY_ASSIGN(std::string name, parse_name(parts.rest, parts.rest_offset));
    if (!programs.empty() && programs.back().name >= name)
      return corrupt(parts.rest_offset, "programs out of order");
    if (programs.size() == kMaxManifestPrograms) return corrupt(lines.value_offset(), "too many programs");
    programs.push_back({std::move(name), std::move(parts.hash)});
  }
}

Result<void> read_weak_hashes(Lines& lines, std::vector<HashAlgo>& weak) {
  for (;;) {
    TRY_ASSIGN(const auto value, lines.take("allow-signature-hash"));
    if (!value) return {};
    TRY_ASSIGN(const HashAlgo algo, parse_algo(*value, lines.value_offset()));
    if (!weak.empty() && weak.back() >= algo)
      return corrupt(lines.value_offset(), "hash algorithms out of order");
    weak.push_back(algo);
  }
}

Result<void> read_keys(Lines& lines, std::vector<ManifestKey>& keys) {
  for (;;) {
    TRY_ASSIGN(const auto value, lines.take("key"));
    if (!value) return {};
    TRY_ASSIGN(auto parts, parse_hash_and_rest(*value, lines.value_offset()));
    if (!is_manifest_fingerprint(parts.rest)) return corrupt(parts.rest_offset, "not a fingerprint");
    ManifestKey key{std::move(parts.hash), std::string(parts.rest)};
    if (!keys.empty() && std::tie(keys.back().file_hash, keys.back().fingerprint) >=
                             std::tie(key.file_hash, key.fingerprint)) {
      return corrupt(lines.value_offset(), "keys out of order");
    }
    if (keys.size() == kMaxManifestKeys) return corrupt(lines.value_offset(), "too many keys");
    keys.push_back(std::move(key));
  }
}

Result<ManifestBoot> read_boot(Lines& lines) {
  ManifestBoot boot;
  TRY_ASSIGN(const std::string_view mode, lines.need("mode"));
  const auto known_mode = mode_from_name(mode);
  if (!known_mode) return corrupt(lines.value_offset(), "unknown mode");
  boot.mode = *known_mode;
  TRY_ASSIGN(const std::string_view algo, lines.need("algorithm"));
  TRY_ASSIGN(boot.algo, parse_algo(algo, lines.value_offset()));
  TRY_ASSIGN(const std::string_view policy, lines.need("policy"));
  TRY_ASSIGN(boot.policy_hash, parse_hash(policy, lines.value_offset()));
  TRY_ASSIGN(const std::string_view loader, lines.need("loader"));
  TRY_ASSIGN(boot.loader_hash, parse_hash(loader, lines.value_offset()));
  TRY(read_programs(lines, boot.programs));
  TRY(read_weak_hashes(lines, boot.weak_hashes));
  TRY(read_keys(lines, boot.keys));
  return boot;
}

Result<std::string> parse_text(std::string_view value, uint64_t offset, const char* what) {
  TRY_ASSIGN(std::string text, manifest_unescape(value, true, offset));
  if (text.empty() || text.size() > kMaxManifestSigner)
    return corrupt(offset, std::string(what) + " must have 1 to 1024 bytes");
  return text;
}

Result<ManifestMonitor> read_monitor(Lines& lines) {
  ManifestMonitor monitor;
  TRY_ASSIGN(const std::string_view seconds, lines.need("seconds"));
  TRY_ASSIGN(monitor.seconds, parse_number(seconds, lines.value_offset()));
  TRY_ASSIGN(const std::string_view signer, lines.need("signer"));
  if (signer != kNoPackage) {
    TRY_ASSIGN(monitor.signer, parse_text(signer, lines.value_offset(), "a signer"));
  }
  TRY_ASSIGN(const std::string_view reason, lines.need("reason"));
  TRY_ASSIGN(monitor.reason, parse_text(reason, lines.value_offset(), "a reason"));
  return monitor;
}

// "name package signer", or of kRemove the name alone.
Result<ManifestList> parse_list(const HashAndRest& parts, ManifestKind kind) {
  ManifestList list;
  list.hash = parts.hash;
  const size_t name_end = parts.rest.find(' ');
  if (kind == ManifestKind::kRemove) {
    TRY_ASSIGN(list.name, parse_name(parts.rest, parts.rest_offset));
    return list;
  }
  if (name_end == std::string_view::npos) return corrupt(parts.rest_offset, "a list without a package");
  TRY_ASSIGN(list.name, parse_name(parts.rest.substr(0, name_end), parts.rest_offset));
  const size_t package_end = parts.rest.find(' ', name_end + 1);
  if (package_end == std::string_view::npos) return corrupt(parts.rest_offset, "a list without a signer");
  const std::string_view package = parts.rest.substr(name_end + 1, package_end - name_end - 1);
  const uint64_t package_offset = parts.rest_offset + name_end + 1;
  if (package != kNoPackage) {
    TRY_ASSIGN(list.package, manifest_unescape(package, false, package_offset));
    if (list.package.empty() || list.package.size() > kMaxManifestPackage)
      return corrupt(package_offset, "a package must have 1 to 1024 bytes");
  }
  const uint64_t signer_offset = parts.rest_offset + package_end + 1;
  TRY_ASSIGN(list.signer, parse_text(parts.rest.substr(package_end + 1), signer_offset, "a signer"));
  return list;
}

// "serial name signer"
Result<ManifestDenyList> parse_deny_list(const HashAndRest& parts) {
  ManifestDenyList list;
  list.hash = parts.hash;
  const size_t serial_end = parts.rest.find(' ');
  const size_t name_end =
      serial_end == std::string_view::npos ? serial_end : parts.rest.find(' ', serial_end + 1);
  if (name_end == std::string_view::npos)
    return corrupt(parts.rest_offset, "serial, name and signer of a deny list expected");
  TRY_ASSIGN(list.serial, parse_number(parts.rest.substr(0, serial_end), parts.rest_offset));
  TRY_ASSIGN(list.name, parse_name(parts.rest.substr(serial_end + 1, name_end - serial_end - 1),
                                   parts.rest_offset + serial_end + 1));
  const uint64_t signer_offset = parts.rest_offset + name_end + 1;
  TRY_ASSIGN(list.signer, manifest_unescape(parts.rest.substr(name_end + 1), true, signer_offset));
  if (list.signer.empty() || list.signer.size() > kMaxManifestSigner)
    return corrupt(signer_offset, "a signer must have 1 to 1024 bytes");
  return list;
}

Result<void> read_deny_lists(Lines& lines, std::vector<ManifestDenyList>& deny_lists) {
  for (;;) {
    TRY_ASSIGN(const auto value, lines.take("revoked"));
    if (!value) return {};
    TRY_ASSIGN(const auto parts, parse_hash_and_rest(*value, lines.value_offset()));
    TRY_ASSIGN(ManifestDenyList list, parse_deny_list(parts));
    if (!deny_lists.empty() && deny_lists.back().name >= list.name)
      return corrupt(parts.rest_offset, "deny lists out of order");
    if (deny_lists.size() == kMaxManifestDenyLists)
      return corrupt(lines.value_offset(), "too many deny lists");
    deny_lists.push_back(std::move(list));
  }
}

Result<void> read_lists(Lines& lines, ManifestKind kind, std::vector<ManifestList>& lists) {
  for (;;) {
    TRY_ASSIGN(const auto value, lines.take("list"));
    if (!value) return {};
    TRY_ASSIGN(const auto parts, parse_hash_and_rest(*value, lines.value_offset()));
    TRY_ASSIGN(ManifestList list, parse_list(parts, kind));
    if (!lists.empty() && lists.back().name >= list.name)
      return corrupt(parts.rest_offset, "lists out of order");
    if (lists.size() == kMaxManifestLists) return corrupt(lines.value_offset(), "too many lists");
    lists.push_back(std::move(list));
  }
}

}  // namespace

Result<Manifest> read_manifest(ByteView file) {
  if (file.size() > kMaxManifestBytes) return corrupt(kMaxManifestBytes, "larger than 32 MiB");
  Lines lines(as_text(file));
  TRY_ASSIGN(const auto version, lines.take("diglim-manifest"));
  if (!version) return corrupt(0, "not a DIGLIM manifest");
  if (*version != "1") return unsupported("manifest of another version than 1");
  Manifest manifest;
  TRY_ASSIGN(const std::string_view kind, lines.need("kind"));
  TRY_ASSIGN(manifest.kind, parse_kind(kind, lines.value_offset()));
  TRY_ASSIGN(const std::string_view number, lines.need("number"));
  TRY_ASSIGN(manifest.number, parse_number(number, lines.value_offset()));
  const bool boot = manifest.kind == ManifestKind::kBoot;
  if (boot != (manifest.number == 1))
    return corrupt(lines.value_offset(), "number 1 is the boot's, and only the boot's");
  if (boot) {
    TRY_ASSIGN(manifest.boot, read_boot(lines));
  } else {
    TRY_ASSIGN(const std::string_view previous, lines.need("previous"));
    TRY_ASSIGN(manifest.previous, parse_hash(previous, lines.value_offset()));
  }
  if (manifest.kind == ManifestKind::kMonitor) {
    TRY_ASSIGN(manifest.monitor, read_monitor(lines));
  } else {
    if (manifest.kind == ManifestKind::kAdd) TRY(read_keys(lines, manifest.keys));
    if (manifest.kind != ManifestKind::kAdd) TRY(read_deny_lists(lines, manifest.deny_lists));
    TRY(read_lists(lines, manifest.kind, manifest.lists));
  }
  if (!boot && manifest.kind != ManifestKind::kMonitor && manifest.lists.empty() &&
      manifest.deny_lists.empty() && manifest.keys.empty())
    return corrupt(lines.offset(), "a change without a list");
  TRY_ASSIGN(const std::string_view end, lines.need("end"));
  if (!end.empty()) return corrupt(lines.value_offset(), "'end' alone expected");
  if (!lines.at_end()) return corrupt(lines.offset(), "bytes after the end");
  return manifest;
}

}  // namespace diglim
