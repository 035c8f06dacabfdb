// SPDX-License-Identifier: Apache-2.0
// Platform configuration registers of one bank, computed without a TPM (TCG TPM 2.0 Library, part 1, section
// 17; PC Client Platform TPM Profile for the initial values).
#pragma once

#include <array>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/crypto/hash.h"

namespace diglim {

constexpr unsigned kPcrCount = 24;

// The banks that a TPM may have and IMA extends. kUnsupported for other names.
Result<HashAlgo> pcr_bank_from_name(std::string_view name);

// Registers of one bank.
struct PcrSelection {
  HashAlgo bank = HashAlgo::kSha256;
  std::vector<unsigned> pcrs;  // ascending, each once
};

// H(value || value ...) of the selected registers, in order.
Result<Bytes> pcr_selection_digest(HashAlgo algo, const std::vector<Bytes>& values);

class PcrBank {
 public:
  // As after a reset: zeros, but PCRs 17 to 22 hold ones.
  explicit PcrBank(HashAlgo algo);

  HashAlgo algo() const { return algo_; }
  const Bytes& value(unsigned pcr) const { return values_[pcr]; }  // REQUIRES: pcr < kPcrCount

  // new = H(old || digest). kInvalid: no such PCR; a digest of another size than the bank's.
  Result<void> extend(uint32_t pcr, ByteView digest);
  Result<void> set(uint32_t pcr, ByteView value);  // errors as extend()

 private:
  Result<void> check(uint32_t pcr, ByteView digest) const;

  HashAlgo algo_;
  std::array<Bytes, kPcrCount> values_;
};

// IMA's boot_aggregate: the hash over PCRs 0 to 9, of the SHA-1 bank 0 to 7 (ima_calc_boot_aggregate_tfm() in
// security/integrity/ima/ima_crypto.c, kernel 5.8 and later).
Result<Bytes> boot_aggregate(const PcrBank& bank);

}  // namespace diglim
