// SPDX-License-Identifier: Apache-2.0
#include "lib/generation/registry.h"

#include "lib/generation/generation.h"

namespace diglim {
namespace {

constexpr size_t kHashBytes = 32;
constexpr size_t kMaxTextBytes = 1024;
// A step: seven bits a byte, the least first, and a bit that says whether more follow.
constexpr int kStepBits = 7;
constexpr uint32_t kMore = 1u << kStepBits;
constexpr size_t kMaxStepBytes = 5;  // 32 bits

void put_text(Bytes& out, std::string_view text) {
  put_u16_le(out, static_cast<uint16_t>(text.size()));
  append(out, as_bytes(text));
}

Result<std::string> get_text(ByteReader& reader) {
  TRY_ASSIGN(const uint16_t size, reader.u16_le());
  TRY_ASSIGN(const ByteView bytes, reader.bytes(size));
  return std::string(as_text(bytes));
}

}  // namespace

void RegistryWriter::add(const LoadedList& list, std::span<const uint32_t> places) {
  put_text(out_, list.name);
  put_text(out_, std::string_view(list.package).substr(0, kMaxTextBytes));
  put_text(out_, std::string_view(list.signer).substr(0, kMaxTextBytes));
  Bytes hash = list.content_hash;
  hash.resize(kHashBytes);
  append(out_, hash);
  put_u64_le(out_, list.origin);
  put_u64_le(out_, list.stamp);
  put_u32_le(out_, list.left_out);
  put_u32_le(out_, static_cast<uint32_t>(places.size()));
  uint32_t last = 0;
  for (const uint32_t place : places) {
    uint32_t step = place - last;
    last = place;
    for (; step >= kMore; step >>= kStepBits) out_.push_back(static_cast<uint8_t>(step | kMore));
    out_.push_back(static_cast<uint8_t>(step));
  }
}

Result<void> RegistryReader::next(uint64_t end, LoadedList& list, std::vector<uint32_t>& places) {
  TRY_ASSIGN(list.name, get_text(reader_));
  TRY_ASSIGN(list.package, get_text(reader_));
  TRY_ASSIGN(list.signer, get_text(reader_));
  TRY_ASSIGN(const ByteView hash, reader_.bytes(kHashBytes));
  list.content_hash = to_bytes(hash);
  TRY_ASSIGN(list.origin, reader_.u64_le());
  TRY_ASSIGN(list.stamp, reader_.u64_le());
  TRY_ASSIGN(list.left_out, reader_.u32_le());
  TRY_ASSIGN(list.digests, reader_.u32_le());
  // Bounds are checked by hand: there are as many members as digests, and a Result for each costs more than
  // the rest of decoding.
  const uint64_t offset = reader_.offset();
  const ByteView bytes = reader_.rest();
  if (list.digests > bytes.size()) return corrupt(offset, "more members than bytes");
  places.resize(list.digests);
  size_t at = 0;
  uint64_t last = 0;
  for (uint32_t& place : places) {
    const size_t start = at;
    for (int shift = 0;; shift += kStepBits) {
      if (at == bytes.size() || at - start == kMaxStepBytes)
        return corrupt(offset + start, "a member without an end");
      const uint8_t byte = bytes[at++];
      last += uint64_t{byte} % kMore << shift;
      if (byte >= kMore) continue;
      if (byte == 0 && shift > 0) return corrupt(offset + start, "a member longer than it has to be");
      break;
    }
    if (last >= end) return corrupt(offset + start, "a member outside the table");
    place = static_cast<uint32_t>(last);
  }
  return reader_.skip(at);
}

}  // namespace diglim
