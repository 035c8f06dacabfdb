// SPDX-License-Identifier: Apache-2.0
#include "lib/rpm/package_file.h"

#include <algorithm>
#include <array>

#include "lib/base/base64.h"
#include "lib/rpm/header.h"

namespace diglim::rpm {
namespace {

constexpr std::array<uint8_t, 4> kLeadMagic = {0xed, 0xab, 0xee, 0xdb};
// The rest of the lead says nothing that the headers do not say better, and nothing signs it; rpm ignores it
// too. Byte 4, the format version, is 3 up to rpm 5 and 4 in packages of rpm 6.
constexpr size_t kLeadSize = 96;

// Signature header tags (rpm: include/rpm/rpmtag.h). Each value is OpenPGP packets over the main header.
constexpr uint32_t kTagDsaHeader = 267;  // DSA, ECDSA, EdDSA
constexpr uint32_t kTagRsaHeader = 268;
constexpr uint32_t kTagOpenPgp = 278;  // rpm 6: a string array, each in base64

// Only the signature header is padded.
size_t padded(size_t size) {
  return (size + 7) & ~size_t{7};
}

Result<void> check_lead(ByteView file) {
  if (!looks_like_package(file)) return corrupt(0, "not an RPM package (bad magic)");
  return ByteReader(file).skip(kLeadSize);
}

using Signatures = std::vector<std::pair<Bytes, uint64_t>>;

// `data` is from the tag's first byte to the end of the signature header.
Result<void> add_base64_values(ByteView data, uint64_t at, uint32_t count, Signatures& to) {
  if (count > kMaxSignatures)
    return corrupt(at, "more than " + std::to_string(kMaxSignatures) + " signatures");
  for (uint32_t i = 0; i < count; ++i) {
    const auto end = std::find(data.begin(), data.end(), uint8_t{0});
    if (end == data.end()) return corrupt(at, "a string without an end");
    const auto length = static_cast<size_t>(end - data.begin());
    if (length == 0) return corrupt(at, "an empty signature");
    TRY_ASSIGN(Bytes packets, from_base64(as_text(data.first(length)), at));
    to.emplace_back(std::move(packets), at);
    data = data.subspan(length + 1);
    at += length + 1;
  }
  return {};
}

// Nothing signs this header, so only what is needed is read, and only that must make sense. rpm's own reading
// of it (lib/rpmvs.c) also wants each tag once.
Result<Signatures> read_signatures(ByteView header, uint64_t base) {
  TRY_ASSIGN(const Preamble preamble, read_preamble(header, base, HeaderKind::kSignature));
  const ByteView data = header.subspan(preamble.data_start());
  const uint64_t data_at = base + preamble.data_start();
  ByteReader index(header, base);
  TRY(index.skip(kPreambleSize + kEntrySize));  // take_header() has seen the region's entry

  Signatures signatures;
  std::vector<uint32_t> seen;
  for (uint32_t i = 1; i < preamble.entries; ++i) {
    const uint64_t entry_at = index.offset();
    TRY_ASSIGN(const Entry entry, read_entry(index));
    if (entry.tag != kTagDsaHeader && entry.tag != kTagRsaHeader && entry.tag != kTagOpenPgp) continue;
    const std::string name = "signature tag " + std::to_string(entry.tag);
    if (std::find(seen.begin(), seen.end(), entry.tag) != seen.end())
      return corrupt(entry_at, name + " is there twice");
    seen.push_back(entry.tag);
    if (entry.type != (entry.tag == kTagOpenPgp ? kTypeStringArray : kTypeBinary)) {
      return corrupt(entry_at + 4, name + " has the wrong type");
    }
    if (entry.offset > data.size()) return corrupt(entry_at + 8, name + " lies outside the data");
    if (entry.count == 0) return corrupt(entry_at + 12, name + " is empty");
    const uint64_t at = data_at + entry.offset;
    if (entry.tag == kTagOpenPgp) {
      TRY(add_base64_values(data.subspan(entry.offset), at, entry.count, signatures));
    } else {
      TRY_ASSIGN(const ByteView packets, ByteReader(data.subspan(entry.offset), at).bytes(entry.count));
      signatures.emplace_back(to_bytes(packets), at);
    }
  }
  return signatures;
}

}  // namespace

bool looks_like_package(ByteView bytes) {
  return bytes.size() >= kLeadMagic.size() && std::equal(kLeadMagic.begin(), kLeadMagic.end(), bytes.begin());
}

Result<size_t> package_head_size(ByteView start_of_file) {
  const size_t with_signature_preamble = kLeadSize + kPreambleSize;
  if (start_of_file.size() >= kLeadMagic.size() && !looks_like_package(start_of_file)) {
    return corrupt(0, "not an RPM package (bad magic)");
  }
  if (start_of_file.size() < with_signature_preamble) return with_signature_preamble;
  TRY_ASSIGN(const Preamble signature,
             read_preamble(start_of_file.subspan(kLeadSize), kLeadSize, HeaderKind::kSignature));
  const size_t main_start = padded(kLeadSize + signature.size());
  if (start_of_file.size() < main_start + kPreambleSize) return main_start + kPreambleSize;
  TRY_ASSIGN(const Preamble main,
             read_preamble(start_of_file.subspan(main_start), main_start, HeaderKind::kMain));
  return main_start + main.size();
}

Result<SignedHeader> locate_package(ByteView file) {
  TRY(check_lead(file));
  TRY_ASSIGN(const ByteView signature_header,
             take_header(file.subspan(kLeadSize), kLeadSize, HeaderKind::kSignature));
  SignedHeader result;
  TRY_ASSIGN(result.signatures, read_signatures(signature_header, kLeadSize));

  ByteReader reader(file);
  TRY(reader.skip(padded(kLeadSize + signature_header.size())));
  result.header_offset = reader.offset();
  TRY_ASSIGN(result.signed_bytes, take_header(reader.rest(), reader.offset(), HeaderKind::kMain));
  return result;
}

}  // namespace diglim::rpm
