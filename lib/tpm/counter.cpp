// SPDX-License-Identifier: Apache-2.0
#include "lib/tpm/counter.h"

#include <charconv>

#include "lib/base/text.h"
#include "lib/crypto/hash.h"
#include "lib/tcg/marshal.h"

namespace diglim {
namespace {

// Reading needs no password, and a wrong one locks nothing out. No attribute by which it could be locked.
constexpr TPMA_NV kAttributes = (TPM2_NT_COUNTER << TPMA_NV_TPM2_NT_SHIFT) | TPMA_NV_OWNERWRITE |
                                TPMA_NV_OWNERREAD | TPMA_NV_AUTHREAD | TPMA_NV_NO_DA;

}  // namespace

Result<uint32_t> counter_index_from_text(std::string_view text) {
  const std::string_view digits = text.starts_with("0x") ? text.substr(2) : text;
  uint32_t index = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index, 16);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() ||
      index < kFirstCounterIndex || index > kLastCounterIndex)
    return invalid("\"" + escape(text, 40) + "\" is no index of the owner: " +
                   counter_index_text(kFirstCounterIndex) + " to " + counter_index_text(kLastCounterIndex));
  return index;
}

std::string counter_index_text(uint32_t index) {
  Bytes bytes;
  put_u32_be(bytes, index);
  return "0x" + to_hex(bytes);
}

TPMS_NV_PUBLIC counter_area(uint32_t index) {
  TPMS_NV_PUBLIC area = {};
  area.nvIndex = index;
  area.nameAlg = TPM2_ALG_SHA256;
  area.attributes = kAttributes;
  area.dataSize = sizeof(uint64_t);
  return area;
}

Result<Bytes> counter_name(uint32_t index) {
  TPMS_NV_PUBLIC area = counter_area(index);
  area.attributes |= TPMA_NV_WRITTEN;
  TRY_ASSIGN(const Bytes bytes, marshal(area, "NV index", Tss2_MU_TPMS_NV_PUBLIC_Marshal));
  TRY_ASSIGN(const Bytes digest, hash(HashAlgo::kSha256, {bytes}));
  Bytes name;
  put_u16_be(name, area.nameAlg);
  append(name, digest);
  return name;
}

Bytes counter_operand(uint64_t value) {
  Bytes bytes;
  put_u32_be(bytes, static_cast<uint32_t>(value >> 32));
  put_u32_be(bytes, static_cast<uint32_t>(value));
  return bytes;
}

Result<Bytes> extend_by_counter(ByteView before, const CounterLimit& limit) {
  Bytes offset_and_operation;
  put_u16_be(offset_and_operation, 0);
  put_u16_be(offset_and_operation, kCounterOperation);
  TRY_ASSIGN(const Bytes arguments,
             hash(HashAlgo::kSha256, {counter_operand(limit.at_most), offset_and_operation}));
  TRY_ASSIGN(const Bytes name, counter_name(limit.index));
  Bytes code;
  put_u32_be(code, TPM2_CC_PolicyNV);
  return hash(HashAlgo::kSha256, {before, code, arguments, name});
}

}  // namespace diglim
