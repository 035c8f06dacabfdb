// SPDX-License-Identifier: Apache-2.0
#include "lib/digest_list/compact.h"

namespace diglim {
namespace {

constexpr uint8_t kVersion = 1;
constexpr uint16_t kLastType = static_cast<uint16_t>(CompactType::kDigestList);

Result<void> read_block(ByteReader& reader, CompactList& list) {
  const uint64_t start = reader.offset();
  TRY_ASSIGN(const uint8_t version, reader.u8());
  if (version != kVersion)
    return corrupt(start, "version " + std::to_string(version) + " of a compact list block");
  TRY_ASSIGN(const uint8_t reserved, reader.u8());
  if (reserved != 0) return corrupt(start + 1, "reserved byte is not zero");
  TRY_ASSIGN(const uint16_t type, reader.u16_le());
  if (type > kLastType) return corrupt(start + 2, "unknown type " + std::to_string(type));
  TRY_ASSIGN(const uint16_t modifiers, reader.u16_le());
  if ((modifiers & ~kCompactImmutable) != 0)
    return corrupt(start + 4, "unknown modifiers " + std::to_string(modifiers));
  TRY_ASSIGN(const uint16_t number, reader.u16_le());
  TRY_ASSIGN(const uint32_t count, reader.u32_le());
  TRY_ASSIGN(const uint32_t size, reader.u32_le());
  if (type != static_cast<uint16_t>(CompactType::kFile)) {
    return unsupported("offset " + std::to_string(start + 2) + ": a list of type " + std::to_string(type) +
                       ", not of file digests");
  }
  const auto algo = hash_from_kernel(number);
  if (!algo) {
    return unsupported("offset " + std::to_string(start + 6) + ": unknown digest algorithm " +
                       std::to_string(number));
  }
  // In 64 bits, where it cannot wrap: the 2022 code multiplied in 32.
  if (uint64_t{count} * hash_size(*algo) != size) {
    return corrupt(start + 12, std::to_string(size) + " bytes of data for " + std::to_string(count) +
                                   " digests of " + std::to_string(hash_size(*algo)));
  }
  TRY_ASSIGN(const ByteView digests, reader.bytes(size));
  if (!digests.empty()) append(list.digests[*algo], digests);
  return {};
}

}  // namespace

Result<CompactList> read_compact(ByteView content) {
  CompactList list;
  ByteReader reader(content);
  do {
    TRY(read_block(reader, list));  // an empty file is a short block
  } while (!reader.empty());
  return list;
}

Bytes write_compact(HashAlgo algo, ByteView digests, uint16_t modifiers) {
  Bytes out = {kVersion, 0};
  out.reserve(kCompactHeaderBytes + digests.size());
  put_u16_le(out, static_cast<uint16_t>(CompactType::kFile));
  put_u16_le(out, modifiers);
  put_u16_le(out, static_cast<uint16_t>(algo));
  put_u32_le(out, static_cast<uint32_t>(digests.size() / hash_size(algo)));
  put_u32_le(out, static_cast<uint32_t>(digests.size()));
  append(out, digests);
  return out;
}

}  // namespace diglim
