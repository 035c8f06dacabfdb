// SPDX-License-Identifier: Apache-2.0
#include "lib/tcg/event_log.h"

#include <map>
#include <optional>

namespace diglim {
namespace {

constexpr uint32_t kNoAction = 3;  // EV_NO_ACTION: says something, extends nothing
constexpr size_t kSha1Bytes = 20;
constexpr std::string_view kSpecId("Spec ID Event03\0", 16);
constexpr std::string_view kStartupLocality("StartupLocality\0", 16);
constexpr size_t kMaxAlgorithms = 16;
constexpr uint8_t kMaxLocality = 4;

// TPM_ALG_ID (TCG Algorithm Registry) of the banks.
std::optional<HashAlgo> hash_from_tpm(uint16_t id) {
  switch (id) {
    case 0x0004:
      return HashAlgo::kSha1;
    case 0x000b:
      return HashAlgo::kSha256;
    case 0x000c:
      return HashAlgo::kSha384;
    case 0x000d:
      return HashAlgo::kSha512;
    default:
      return std::nullopt;
  }
}

using DigestSizes = std::map<uint16_t, uint16_t>;  // algorithm -> bytes, as the header declares them

// The first event, in the old layout, which declares the algorithms of the others.
Result<DigestSizes> read_header(ByteReader& reader) {
  TRY(reader.skip(4));  // PCR
  TRY_ASSIGN(const uint32_t type, reader.u32_le());
  TRY(reader.skip(kSha1Bytes));
  TRY_ASSIGN(const uint32_t size, reader.u32_le());
  TRY_ASSIGN(ByteReader event, reader.sub(size));
  const auto id = event.bytes(kSpecId.size());
  if (type != kNoAction || !id || as_text(*id) != kSpecId)
    return unsupported("an event log without digests by algorithm (TPM 1.2)");
  TRY(event.skip(8));  // platform class, version, errata, size of UINTN
  const uint64_t count_offset = event.offset();
  TRY_ASSIGN(const uint32_t count, event.u32_le());
  if (count == 0 || count > kMaxAlgorithms)
    return corrupt(count_offset, std::to_string(count) + " hash algorithms");
  DigestSizes sizes;
  for (uint32_t i = 0; i < count; ++i) {
    const uint64_t offset = event.offset();
    TRY_ASSIGN(const uint16_t id_number, event.u16_le());
    TRY_ASSIGN(const uint16_t bytes, event.u16_le());
    const auto known = hash_from_tpm(id_number);
    if (bytes == 0 || bytes > kMaxDigestSize || (known && hash_size(*known) != bytes))
      return corrupt(offset, "wrong size of a digest");
    if (!sizes.emplace(id_number, bytes).second) return corrupt(offset, "a hash algorithm twice");
  }
  return sizes;
}

struct Event {
  uint64_t offset = 0;
  uint32_t pcr = 0;
  uint32_t type = 0;
  std::optional<ByteView> digest;
  uint64_t data_offset = 0;
  ByteView data;
};

Result<Event> read_event(ByteReader& reader, const DigestSizes& sizes, HashAlgo bank) {
  Event event;
  event.offset = reader.offset();
  TRY_ASSIGN(event.pcr, reader.u32_le());
  TRY_ASSIGN(event.type, reader.u32_le());
  const uint64_t count_offset = reader.offset();
  TRY_ASSIGN(const uint32_t count, reader.u32_le());
  if (count > sizes.size()) return corrupt(count_offset, "more digests than algorithms");
  for (uint32_t i = 0; i < count; ++i) {
    const uint64_t offset = reader.offset();
    TRY_ASSIGN(const uint16_t algorithm, reader.u16_le());
    const auto size = sizes.find(algorithm);
    if (size == sizes.end()) return corrupt(offset, "a digest of an algorithm that was not declared");
    TRY_ASSIGN(const ByteView bytes, reader.bytes(size->second));
    if (hash_from_tpm(algorithm) != bank) continue;
    if (event.digest) return corrupt(offset, "two digests of one algorithm");
    event.digest = bytes;
  }
  TRY_ASSIGN(const uint32_t size, reader.u32_le());
  event.data_offset = reader.offset();
  TRY_ASSIGN(event.data, reader.bytes(size));
  if (event.type == kNoAction) return event;
  if (event.pcr >= kPcrCount) return corrupt(event.offset, "there is no PCR " + std::to_string(event.pcr));
  if (!event.digest)
    return unsupported("offset " + std::to_string(event.offset) + ": an event without a " +
                       std::string(hash_name(bank)) + " digest");
  return event;
}

// Calls `take` for each event.
template <typename Take>
Result<void> for_each_event(ByteView log, HashAlgo algo, const Take& take) {
  if (log.size() > kMaxEventLogBytes) return unsupported("an event log of more than 16 MiB");
  ByteReader reader(log);
  TRY_ASSIGN(const DigestSizes sizes, read_header(reader));
  bool declared = false;
  for (const auto& [id, size] : sizes) declared = declared || hash_from_tpm(id) == algo;
  if (!declared) return unsupported("an event log without " + std::string(hash_name(algo)) + " digests");
  while (!reader.empty()) {
    TRY_ASSIGN(const Event event, read_event(reader, sizes, algo));
    TRY(take(event));
  }
  return {};
}

// The locality in which the firmware started is the first value of PCR 0.
Result<void> start_by_locality(const Event& event, PcrBank& bank) {
  if (event.pcr != 0 || event.data.size() != kStartupLocality.size() + 1 ||
      !as_text(event.data).starts_with(kStartupLocality))
    return {};
  Bytes value(hash_size(bank.algo()), 0);
  if (bank.value(0) != value) return corrupt(event.data_offset, "startup locality after an event of PCR 0");
  if (event.data.back() > kMaxLocality) return corrupt(event.data_offset, "startup locality above 4");
  value.back() = event.data.back();
  return bank.set(0, value);
}

}  // namespace

Result<std::vector<FirmwareEvent>> read_event_log(ByteView log, HashAlgo algo) {
  std::vector<FirmwareEvent> events;
  TRY(for_each_event(log, algo, [&](const Event& event) -> Result<void> {
    if (event.type != kNoAction) events.push_back({event.pcr, event.type, *event.digest, event.data});
    return {};
  }));
  return events;
}

Result<PcrBank> replay_event_log(ByteView log, HashAlgo algo) {
  PcrBank bank(algo);
  TRY(for_each_event(log, algo, [&](const Event& event) -> Result<void> {
    if (event.type == kNoAction) return start_by_locality(event, bank);
    return bank.extend(event.pcr, *event.digest);
  }));
  return bank;
}

}  // namespace diglim
