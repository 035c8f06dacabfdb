// SPDX-License-Identifier: Apache-2.0
// Approvals that end: what was approved counts until a counter in the TPM's NV memory has passed a number.
// Such a counter never goes back. If its index is deleted and made anew, it begins above what any counter of
// that TPM ever had (TPM 2.0 Library, part 1, "NV Counters"). Computed without a TPM.
#pragma once

#include <tss2/tss2_tpm2_types.h>

#include <string>
#include <string_view>

#include "lib/base/bytes.h"

namespace diglim {

// Handles of the owner (TCG, Registry of Reserved TPM 2.0 Handles and Localities).
constexpr uint32_t kFirstCounterIndex = 0x01800000;
constexpr uint32_t kLastCounterIndex = 0x01bfffff;
constexpr uint32_t kDefaultCounterIndex = 0x01801d19;

struct CounterLimit {
  uint32_t index = kDefaultCounterIndex;
  uint64_t at_most = 0;
  bool operator==(const CounterLimit&) const = default;
};

// kInvalid: no hexadecimal number in that range ("0x01801d19").
Result<uint32_t> counter_index_from_text(std::string_view text);
std::string counter_index_text(uint32_t index);

// The only kind of counter that is used: the owner increments it, everybody may read it.
TPMS_NV_PUBLIC counter_area(uint32_t index);

// Its name, once it was incremented. No index with other attributes has this name.
Result<Bytes> counter_name(uint32_t index);

// What TPM2_PolicyNV compares the counter with.
Bytes counter_operand(uint64_t value);
constexpr TPM2_EO kCounterOperation = TPM2_EO_UNSIGNED_LE;

// TPM2_PolicyNV after `before` (TPM 2.0 Library, part 3, TPM2_PolicyNV): the counter is at most so high.
Result<Bytes> extend_by_counter(ByteView before, const CounterLimit& limit);

}  // namespace diglim
