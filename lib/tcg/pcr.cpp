// SPDX-License-Identifier: Apache-2.0
#include "lib/tcg/pcr.h"

#include "lib/base/text.h"

namespace diglim {
namespace {

constexpr unsigned kFirstDynamic = 17;  // dynamic root of trust: reset to ones
constexpr unsigned kLastDynamic = 22;

}  // namespace

Result<HashAlgo> pcr_bank_from_name(std::string_view name) {
  for (HashAlgo algo : {HashAlgo::kSha1, HashAlgo::kSha256, HashAlgo::kSha384, HashAlgo::kSha512}) {
    if (name == hash_name(algo)) return algo;
  }
  return unsupported("no PCR bank '" + escape(name, 64) + "'; there are sha1, sha256, sha384, sha512");
}

PcrBank::PcrBank(HashAlgo algo) : algo_(algo) {
  for (unsigned pcr = 0; pcr < kPcrCount; ++pcr) {
    const bool dynamic = pcr >= kFirstDynamic && pcr <= kLastDynamic;
    values_[pcr] = Bytes(hash_size(algo), dynamic ? 0xff : 0);
  }
}

Result<void> PcrBank::check(uint32_t pcr, ByteView digest) const {
  if (pcr >= kPcrCount) return invalid("there is no PCR " + std::to_string(pcr));
  if (digest.size() != hash_size(algo_)) {
    return invalid("a digest of " + std::to_string(digest.size()) + " bytes for the " +
                   std::string(hash_name(algo_)) + " bank");
  }
  return {};
}

Result<void> PcrBank::extend(uint32_t pcr, ByteView digest) {
  TRY(check(pcr, digest));
  TRY_ASSIGN(values_[pcr], hash(algo_, {values_[pcr], digest}));
  return {};
}

Result<void> PcrBank::set(uint32_t pcr, ByteView value) {
  TRY(check(pcr, value));
  values_[pcr] = to_bytes(value);
  return {};
}

Result<Bytes> pcr_selection_digest(HashAlgo algo, const std::vector<Bytes>& values) {
  TRY_ASSIGN(Hasher hasher, Hasher::create(algo));
  for (const Bytes& value : values) TRY(hasher.update(value));
  return hasher.finish();
}

Result<Bytes> boot_aggregate(const PcrBank& bank) {
  TRY_ASSIGN(Hasher hasher, Hasher::create(bank.algo()));
  const unsigned count = bank.algo() == HashAlgo::kSha1 ? 8 : 10;
  for (unsigned pcr = 0; pcr < count; ++pcr) TRY(hasher.update(bank.value(pcr)));
  return hasher.finish();
}

}  // namespace diglim
